"""Align water and fat of one acquisition: same voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.slices import Companion, Slice
from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.pixels import signal_bytes
from mimir_engine.study.stack import POSITION_TOLERANCE_MM, Stack
from mimir_engine.study.volume import axial_affine

#: Size in bytes of the images of all stations; UK Biobank's have 70 MB, scans of the whole body
#: with 1.4 x 1.4 x 1.5 mm have 400 MB.
MAX_STATION_BYTES = 640 * 2**20
#: Part of an axis that may be cropped because the other contrast ends earlier.
MAX_CROPPED = 0.25


@dataclass(frozen=True)
class Crop:
    """The part of one contrast to read: slices, foot to head, and the rows and columns to keep."""

    slices: tuple[Slice, ...]
    rows: slice
    columns: slice


@dataclass(frozen=True)
class StationPlan:
    """The slices to read for one station.

    Attributes:
        crops: What to read, by contrast; all of one size and at equal positions.
        twins: Pairs of slices whose pixels must be equal: repeats within one series.
        copies: Pairs of slices whose pixels must be equal: two series of one scan.
        affine: ``(4, 4)``, ``(column, row, slice, 1)`` to LPS millimetres.
        phases: A few in-phase and opposed-phase slices, by contrast and index of the slice.
    """

    crops: Mapping[Contrast, Crop]
    twins: tuple[tuple[Slice, Slice], ...]
    copies: tuple[tuple[Slice, Slice], ...]
    affine: np.ndarray
    phases: Mapping[Contrast, Mapping[int, Companion]] = field(default_factory=dict)


def plan_station(
    acquisition: Acquisition, copies: Sequence[tuple[Stack, Stack]] = ()
) -> tuple[StationPlan, list[Finding]]:
    """Align water and fat of one acquisition and crop them to the part that both cover.

    Args:
        acquisition: Water and fat of one station.
        copies: Stacks of the study, and their copies; they must have the same pixels.

    Raises:
        MimirError: ``POSITION_MISMATCH``.
    """
    water, fat = acquisition.water, acquisition.fat
    copies = [(own, copy) for own, copy in copies if own is water or own is fat]
    offset = _offset(water, fat)
    # Fat's voxel i lies at water's voxel i + offset; both are indexed (slice, row, column).
    start = np.maximum(offset, 0)
    stop = np.minimum(water.shape, offset + fat.shape)
    # Along each axis one contrast must lie within the other: an end may be missing, not shifted.
    for size, own, other in zip(stop - start, water.shape, fat.shape):
        if size < min(own, other) or size < (1 - MAX_CROPPED) * max(own, other):
            raise _position_mismatch(water)
    first = water.untilted_mm + (start * water.spacing_mm)[::-1]
    dz, dy, dx = water.spacing_mm.tolist()
    plan = StationPlan(
        crops={
            Contrast.WATER: _crop(water, start, stop),
            Contrast.FAT: _crop(fat, start - offset, stop - offset),
        },
        twins=water.twins + fat.twins,
        copies=tuple(pair for own, copy in copies for pair in zip(own.slices, copy.slices)),
        affine=axial_affine(first.tolist(), (dx, dy, dz)),
    )
    findings = []
    if copies:
        findings.append(
            Finding(
                "SERIES_COPIED",
                f"series of the station {water.place} are there more than once with the same"
                " pixels; one copy of each was used",
                severity=NOTE,
            )
        )
    if water.shape != fat.shape:
        findings.append(
            Finding(
                "ENDS_CROPPED",
                f"water and fat of the station {water.place} differ in extent"
                " and were cropped to the part that both cover",
            )
        )
    return plan, findings


def check_station_size(plans: Sequence[StationPlan]) -> None:
    """Refuse a study whose images would fill the memory, as its headers tell.

    Raises:
        MimirError: ``STUDY_TOO_LARGE``.
    """
    total = sum(signal_bytes(crop.slices) for plan in plans for crop in plan.crops.values())
    if total > MAX_STATION_BYTES:
        raise MimirError(
            "STUDY_TOO_LARGE",
            f"the water and fat images of the {len(plans)} stations have {total / 2**20:,.0f} MB"
            f" without compression; the limit is {MAX_STATION_BYTES // 2**20} MB",
            "Give one study at a time. If it is one, export it with larger pixels.",
        )


def copies_differ(image: Slice) -> MimirError:
    """Make the error about two scans of one station between which nothing decides."""
    return MimirError(
        "STATION_AMBIGUOUS",
        f"series '{image.series.description}' is there twice with different pixels at z ="
        f" {image.position_mm[2]:.0f} mm, and neither times nor series numbers tell which was"
        " scanned later",
        "Remove the scan that is not to be measured.",
    )


def _offset(water: Stack, fat: Stack) -> np.ndarray:
    """Return the index (slice, row, column) of water at which fat begins."""
    spacing = water.spacing_mm
    offset_mm = (fat.untilted_mm - water.untilted_mm)[::-1]
    offset = np.rint(offset_mm / spacing)
    apart_mm = np.abs(offset_mm - offset * spacing)
    drift_mm = np.abs(fat.spacing_mm - spacing) * fat.shape
    if max(apart_mm.max(), drift_mm.max()) > POSITION_TOLERANCE_MM:
        raise _position_mismatch(water)
    return offset.astype(int)


def _position_mismatch(water: Stack) -> MimirError:
    return MimirError(
        "POSITION_MISMATCH",
        f"water and fat of the station {water.place} do not lie on the same voxels",
        "Check that both come from one acquisition.",
    )


def _crop(stack: Stack, start: np.ndarray, stop: np.ndarray) -> Crop:
    z, y, x = (slice(a, b) for a, b in zip(start.tolist(), stop.tolist()))
    return Crop(stack.slices[z], y, x)
