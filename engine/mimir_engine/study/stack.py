"""Slices of one contrast of one series to an even stack, and what can be wrong with it.

Every slice goes to its place by its position, never by count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.slices import Slice

#: Deviation of a direction cosine from a true axial slice that decimal headers explain.
AXIAL_TOLERANCE = 1e-3
#: Positions closer than this (mm) are the same.
POSITION_TOLERANCE_MM = 0.05
#: Share of the slice distance by which neighbouring slices may be off it.
SPACING_TOLERANCE = 0.05
#: A step of more than so many slice distances is a hole.
HOLE = 1.5
#: Sensible voxel spacings (mm).
SPACING_RANGE_MM = (0.2, 20.0)
#: Two stacks sharing more than this part of the shorter one's extent show the same station.
SAME_STATION = 0.5


@dataclass(frozen=True)
class Stack:
    """One contrast of one series as an even stack of slices, foot to head.

    Attributes:
        slices: One record a position, ascending in z.
        twins: Pairs of records at one position; their pixels must be found equal.
        step_mm: Slice distance.
    """

    slices: tuple[Slice, ...]
    twins: tuple[tuple[Slice, Slice], ...]
    step_mm: float

    @property
    def first(self) -> Slice:
        """The lowest slice."""
        return self.slices[0]

    @property
    def contrast(self) -> Contrast:
        """What all slices show."""
        return self.first.contrast

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return len(self.slices), self.first.rows, self.first.columns

    @property
    def range_mm(self) -> tuple[float, float]:
        """Foot and head end in z, slice thickness included."""
        half = self.step_mm / 2
        return self.first.position_mm[2] - half, self.slices[-1].position_mm[2] + half

    @property
    def place(self) -> str:
        """Where it lies, for messages."""
        foot, head = self.range_mm
        return f"from z = {foot:.0f} to {head:.0f} mm"

    @property
    def acquired(self) -> Optional[float]:
        """When its first slice was acquired, in seconds; None where the headers do not say."""
        return min((s.acquired for s in self.slices if s.acquired is not None), default=None)

    @property
    def order(self) -> tuple[float, int]:
        """Sorts stacks by time (unknown first), then series number."""
        acquired = self.acquired
        return -1.0 if acquired is None else acquired, self.first.series_number

    def shares(self, other: Stack) -> tuple[float, float]:
        """Which part of the shorter and of the longer one's extent both cover; below 0 if none."""
        (foot, head), (other_foot, other_head) = self.range_mm, other.range_mm
        shared = min(head, other_head) - max(foot, other_foot)
        short, long = sorted((head - foot, other_head - other_foot))
        return shared / short, shared / long

    def is_at(self, other: Stack) -> bool:
        """Whether both show the same station."""
        return self.shares(other)[0] > SAME_STATION


def stack_slices(slices: Sequence[Slice]) -> Stack:
    """Order the slices of one series and contrast by position; they must form an even stack.

    Raises:
        MimirError: ``NOT_AXIAL``, ``GEOMETRY_UNREADABLE``, ``SLICES_UNEQUAL``, ``SLICES_UNEVEN``,
            ``SLICE_MISSING``.
    """
    _check_geometry(slices)
    ordered = sorted(slices, key=lambda s: (s.position_mm[2], s.entry.name, s.frame or 0))
    kept = [ordered[0]]
    twins = []
    for record in ordered[1:]:
        if record.position_mm[2] - kept[-1].position_mm[2] < POSITION_TOLERANCE_MM:
            twins.append((kept[-1], record))
        else:
            kept.append(record)
    return Stack(tuple(kept), tuple(twins), _even_step_mm(kept))


_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def _check_geometry(slices: Sequence[Slice]) -> None:
    first = slices[0]
    where = f"series '{first.description}'"
    if any(abs(c - a) > AXIAL_TOLERANCE for s in slices for c, a in zip(s.orientation, _AXIAL)):
        raise MimirError(
            "NOT_AXIAL",
            f"{where} is not an axial image of a patient on the back, head first"
            f" (orientation {list(first.orientation)})",
            "MIMIR reads axial Dixon stations.",
        )
    if not all(SPACING_RANGE_MM[0] <= mm <= SPACING_RANGE_MM[1] for mm in first.spacing_mm):
        raise MimirError(
            "GEOMETRY_UNREADABLE",
            f"{where} claims a pixel spacing of {list(first.spacing_mm)} mm",
            "Export the study again; without its geometry nothing can be measured.",
        )
    for s in slices:
        if (s.rows, s.columns, s.spacing_mm) != (first.rows, first.columns, first.spacing_mm):
            raise MimirError(
                "SLICES_UNEQUAL",
                f"slices of {where} differ in size or pixel spacing",
                "Export the study again.",
            )
        if any(
            abs(a - b) > POSITION_TOLERANCE_MM for a, b in zip(s.position_mm[:2], first.position_mm)
        ):
            raise MimirError(
                "SLICES_UNEVEN",
                f"slices of {where} are shifted sideways",
                "Export the study again.",
            )


def _even_step_mm(slices: Sequence[Slice]) -> float:
    """Slice distance of a stack without holes."""
    where = f"series '{slices[0].description}' ({slices[0].contrast.value})"
    if len(slices) < 2:
        raise MimirError(
            "SLICE_MISSING", f"{where} has a single slice", "Fetch the complete study."
        )
    steps = np.diff([s.position_mm[2] for s in slices])
    step = float(np.median(steps))
    if steps.max() > HOLE * step:
        below = slices[int(steps.argmax())].position_mm[2]
        raise MimirError(
            "SLICE_MISSING",
            f"{where} has a hole of {steps.max():.1f} mm above z = {below:.1f} mm"
            f" (slices lie {step:.1f} mm apart)",
            "Fetch the complete study.",
        )
    mean = float(steps.mean())
    if abs(steps - mean).max() > SPACING_TOLERANCE * mean:
        raise MimirError(
            "SLICES_UNEVEN", f"slices of {where} are not evenly spaced", "Export the study again."
        )
    if not SPACING_RANGE_MM[0] <= mean <= SPACING_RANGE_MM[1]:
        raise MimirError(
            "GEOMETRY_UNREADABLE",
            f"slices of {where} lie {mean:.2f} mm apart",
            "Export the study again.",
        )
    return mean
