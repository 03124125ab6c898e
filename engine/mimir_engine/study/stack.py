"""Order the slices of one series and contrast into an evenly spaced stack.

A slice's position decides its place, never its number or the order of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.series import Series
from mimir_engine.headers.slices import Slice

#: Direction cosines of a row and a column of an axial slice, LPS.
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
#: Deviation of a direction cosine from an axial slice that rounding in headers explains.
AXIAL_TOLERANCE = 1e-3
#: Positions closer than this are the same, in mm.
POSITION_TOLERANCE_MM = 0.05
#: Deviation of a position from its place in an evenly spaced stack, relative to the mean step.
STEP_TOLERANCE = 0.05
#: The same in mm: positions may be rounded to 0.1 mm, so two differ by up to that.
MAX_ROUNDING_MM = 0.11
#: Deviation of a position from the line on which all slices lie, across it, in mm.
MAX_SIDEWAYS_MM = 0.11
#: Sideways shift along a station that shows a tilt, not rounding, in mm.
MIN_TILT_MM = 0.02
#: Step between neighbouring slices, in median steps; a longer step is a gap.
MAX_STEP = 1.5
#: Voxel spacing in mm.
MIN_SPACING_MM, MAX_SPACING_MM = 0.2, 20.0
#: Relative difference of voxel spacings that rounding can explain.
SPACING_TOLERANCE = 1e-2
#: Stacks that share more than this part of the shorter one's extent show the same station.
SAME_STATION_OVERLAP = 0.5
_REMEDY = "Export the study again with its original geometry."


@dataclass(frozen=True)
class Stack:
    """One contrast of one series as evenly spaced slices, foot to head.

    Attributes:
        slices: One slice per position, ascending in z.
        twins: Pairs of slices at one position; their pixels must prove equal.
        step_mm: Distance between slices.
    """

    slices: tuple[Slice, ...]
    twins: tuple[tuple[Slice, Slice], ...]
    step_mm: float

    @property
    def first(self) -> Slice:
        """The slice nearest the feet."""
        return self.slices[0]

    @property
    def contrast(self) -> Contrast:
        """Contrast of all slices."""
        return self.first.contrast

    @property
    def series(self) -> Series:
        """The series of the slices."""
        return self.first.series

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows, columns."""
        return len(self.slices), self.first.rows, self.first.columns

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance between slices, rows and columns."""
        return np.array([self.step_mm, *self.first.spacing_mm])

    @property
    def range_mm(self) -> tuple[float, float]:
        """Foot and head end in z, slice thickness included."""
        half = self.step_mm / 2
        return self.first.position_mm[2] - half, self.slices[-1].position_mm[2] + half

    @property
    def place(self) -> str:
        """The range in z, for messages."""
        foot, head = self.range_mm
        return f"from z = {foot:.0f} to {head:.0f} mm"

    @property
    def acquired(self) -> Optional[float]:
        """Earliest time of acquisition in seconds; None if unknown."""
        return min((s.acquired for s in self.slices if s.acquired is not None), default=None)

    @property
    def untilted_mm(self) -> np.ndarray:
        """Position of the first pixel of the first slice, LPS, if the scanner's table were level.

        Slices that are tilted a little, within ``AXIAL_TOLERANCE``, lie on an oblique line through
        all stations. Turning the study upright moves each station back sideways.
        """
        first = np.array(self.first.position_mm)
        straight, along_normal = _sideways_mm(self.slices)
        if straight > MIN_TILT_MM and along_normal < straight / 2:
            normal = normal_of(self.first)
            first[:2] -= first[2] * normal[:2] / normal[2]
        return first

    @property
    def extent_mm(self) -> float:
        """Length in z, slice thickness included."""
        foot, head = self.range_mm
        return head - foot

    def overlap(self, other: Stack) -> tuple[float, float]:
        """Return the part of the shorter and of the longer stack's extent that both cover.

        Both are negative if the stacks do not touch.
        """
        (foot, head), (other_foot, other_head) = self.range_mm, other.range_mm
        shared = min(head, other_head) - max(foot, other_foot)
        short, long = sorted((head - foot, other_head - other_foot))
        return shared / short, shared / long

    def is_at(self, other: Stack) -> bool:
        """Return whether the shorter stack lies mostly within the longer one."""
        return self.overlap(other)[0] > SAME_STATION_OVERLAP

    def has_voxels_of(self, other: Stack) -> bool:
        """Return whether both stacks have the same voxel spacing."""
        is_same_step = isclose(self.step_mm, other.step_mm, rel_tol=SPACING_TOLERANCE)
        return is_same_step and self.has_pixels_of(other)

    def has_pixels_of(self, other: Stack) -> bool:
        """Return whether both stacks have the same pixel spacing."""
        both = zip(self.first.spacing_mm, other.first.spacing_mm)
        return all(isclose(a, b, rel_tol=SPACING_TOLERANCE) for a, b in both)

    def reaches(self, other: Stack) -> bool:
        """Return whether this stack covers another one, but for a slice at each end."""
        (foot, head), (other_foot, other_head) = self.range_mm, other.range_mm
        slack = MAX_STEP * self.step_mm
        return foot - other_foot < slack and other_head - head < slack


def stack_slices(slices: Sequence[Slice]) -> Stack:
    """Order axial slices of one station and contrast by position.

    Raises:
        MimirError: ``GEOMETRY_UNREADABLE``, ``SLICES_UNEQUAL``, ``SLICES_UNEVEN``,
            ``SLICE_MISSING``.
    """
    _check_geometry(slices)
    ordered = sorted(slices, key=lambda s: (s.position_mm[2], s.entry.name, s.frame or 0))
    kept = [ordered[0]]
    twins = []
    for candidate in ordered[1:]:
        if candidate.position_mm[2] - kept[-1].position_mm[2] < POSITION_TOLERANCE_MM:
            twins.append((kept[-1], candidate))
        else:
            kept.append(candidate)
    return Stack(tuple(kept), tuple(twins), _step_mm(kept))


def is_axial(image: Slice) -> bool:
    """Return whether a slice is axial, of a patient whose axes are those of the scanner."""
    return all(abs(c - a) <= AXIAL_TOLERANCE for c, a in zip(image.orientation, AXIAL))


def normal_of(image: Slice) -> np.ndarray:
    """Return the direction in which slices follow each other, LPS."""
    return np.cross(image.orientation[:3], image.orientation[3:])


def _check_geometry(slices: Sequence[Slice]) -> None:
    first = slices[0]
    series = f"series '{first.series.description}'"
    _check_spacing(series, *first.spacing_mm)
    for s in slices:
        if (s.rows, s.columns, s.spacing_mm) != (first.rows, first.columns, first.spacing_mm):
            what = f"slices of {series} differ in size or pixel spacing"
            raise MimirError("SLICES_UNEQUAL", what, _REMEDY)
    straight, along_normal = _sideways_mm(slices)
    if min(straight, along_normal) > MAX_SIDEWAYS_MM:
        raise MimirError("SLICES_UNEVEN", f"slices of {series} are shifted sideways", _REMEDY)


def _sideways_mm(slices: Sequence[Slice]) -> tuple[float, float]:
    """Return how far slices lie from a line along z, and from one along their own normal."""
    shift = np.array([s.position_mm for s in slices]) - slices[0].position_mm
    normal = normal_of(slices[0])
    along_normal = shift - np.outer(shift[:, 2] / normal[2], normal)
    return float(abs(shift[:, :2]).max()), float(abs(along_normal).max())


def _check_spacing(series: str, *spacing_mm: float) -> None:
    if not all(MIN_SPACING_MM <= mm <= MAX_SPACING_MM for mm in spacing_mm):
        shown = " x ".join(f"{mm:.3g}" for mm in spacing_mm)
        what = f"{series} has a voxel spacing of {shown} mm"
        raise MimirError("GEOMETRY_UNREADABLE", what, _REMEDY)


def _step_mm(slices: Sequence[Slice]) -> float:
    """Return the distance between slices of a complete, evenly spaced stack."""
    series = f"series '{slices[0].series.description}' ({slices[0].contrast.value})"
    if len(slices) < 2:
        raise MimirError(
            "SLICE_MISSING", f"{series} has a single slice", "Fetch the complete study."
        )
    steps = np.diff([s.position_mm[2] for s in slices])
    step = float(np.median(steps))
    if steps.max() > MAX_STEP * step:
        below = slices[int(steps.argmax())].position_mm[2]
        raise MimirError(
            "SLICE_MISSING",
            f"{series} has a gap of {steps.max():.1f} mm above z = {below:.1f} mm;"
            f" its other slices are {step:.1f} mm apart",
            "Fetch the complete study.",
        )
    mean = float(steps.mean())
    even = slices[0].position_mm[2] + mean * np.arange(len(slices))
    apart = abs(even - [s.position_mm[2] for s in slices]).max()
    if apart > max(STEP_TOLERANCE * mean, MAX_ROUNDING_MM):
        raise MimirError("SLICES_UNEVEN", f"slices of {series} are not evenly spaced", _REMEDY)
    _check_spacing(series, mean)
    return mean
