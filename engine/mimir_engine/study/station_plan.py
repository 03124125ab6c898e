"""Align water and fat of one acquisition: same voxels, same signal scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.slices import Slice
from mimir_engine.study.stack import POSITION_TOLERANCE_MM, Stack
from mimir_engine.study.volume import axial_affine

#: Part of an axis that may be cropped because the other contrast ends earlier.
MAX_CROPPED = 0.25
#: Relative difference of two signal scales that rounding explains.
SCALE_TOLERANCE = 1e-3


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
        twins: Pairs of slices whose pixels must be equal.
        affine: ``(4, 4)``, ``(column, row, slice, 1)`` to LPS millimetres.
    """

    crops: Mapping[Contrast, Crop]
    twins: tuple[tuple[Slice, Slice], ...]
    affine: np.ndarray


def plan_station(water: Stack, fat: Stack) -> tuple[StationPlan, list[Finding]]:
    """Align water and fat of one acquisition and crop them to the part that both cover.

    Raises:
        MimirError: ``SCALE_MISMATCH``, ``POSITION_MISMATCH``.
    """
    _check_scales(water, fat)
    offset = _offset(water, fat)
    # Fat's voxel i lies at water's voxel i + offset; both are indexed (slice, row, column).
    start = np.maximum(offset, 0)
    stop = np.minimum(water.shape, offset + fat.shape)
    # Along each axis one contrast must lie within the other: an end may be missing, not shifted.
    for size, own, other in zip(stop - start, water.shape, fat.shape):
        if size < min(own, other) or size < (1 - MAX_CROPPED) * max(own, other):
            raise _position_mismatch(water)
    first = np.array(water.first.position_mm) + (start * water.spacing_mm)[::-1]
    dz, dy, dx = water.spacing_mm.tolist()
    plan = StationPlan(
        crops={
            Contrast.WATER: _crop(water, start, stop),
            Contrast.FAT: _crop(fat, start - offset, stop - offset),
        },
        twins=water.twins + fat.twins,
        affine=axial_affine(first.tolist(), (dx, dy, dz)),
    )
    if water.shape == fat.shape:
        return plan, []
    cropped = Finding(
        "ENDS_CROPPED",
        f"water and fat of the station {water.place} differ in extent"
        " and were cropped to the part that both cover",
    )
    return plan, [cropped]


def _offset(water: Stack, fat: Stack) -> np.ndarray:
    """Return the index (slice, row, column) of water at which fat begins."""
    spacing = water.spacing_mm
    offset_mm = np.subtract(fat.first.position_mm, water.first.position_mm)[::-1]
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


def _check_scales(water: Stack, fat: Stack) -> None:
    """Refuse water and fat whose signals are in different units.

    Slopes may differ between contrasts if they lead to the same unit. For Philips they do only if
    slope times private scale slope agree (Chenevert et al., Transl Oncol 2014).
    """
    water_scales, fat_scales = ({_scale(s) for s in stack.slices} for stack in (water, fat))
    if len(water_scales) == len(fat_scales) == 1:
        (unit, *numbers), (fat_unit, *fat_numbers) = *water_scales, *fat_scales
        if unit == fat_unit and np.allclose(numbers, fat_numbers, rtol=SCALE_TOLERANCE):
            return
    raise MimirError(
        "SCALE_MISMATCH",
        f"water '{water.first.description}' and fat '{fat.first.description}' have different"
        " signal scales",
        "Export the study with its original scaling.",
    )


def _scale(image: Slice) -> tuple[str, float, float]:
    """Return unit, intercept and factor that must agree between contrasts."""
    rescale, factor = image.rescale, 1.0
    if image.scanner.vendor.lower().startswith("philips"):
        factor = rescale.slope * (1.0 if rescale.signal_scale is None else rescale.signal_scale)
    return rescale.kind, rescale.intercept, factor
