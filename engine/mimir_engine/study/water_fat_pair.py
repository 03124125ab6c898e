"""Water and fat of one acquisition onto the same voxels, and onto one signal scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.slices import Slice
from mimir_engine.study.stack import POSITION_TOLERANCE_MM, Stack
from mimir_engine.study.volume import axial_affine

#: Part of a volume that may be cropped because its partner ends earlier.
MOST_CROPPED = 0.25
#: Relative difference of two signal scales that rounding explains.
SCALE_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Part:
    """What is to be read of one contrast: its slices, foot to head, and the box kept of each."""

    slices: tuple[Slice, ...]
    rows: slice
    columns: slice


@dataclass(frozen=True)
class StationPlan:
    """What is to be read for one station.

    Attributes:
        parts: Per contrast what to load; all of one size, slice for slice at equal positions.
        twins: Pairs of records whose pixels must be equal.
        affine: ``(4, 4)``, ``(column, row, slice, 1)`` to LPS millimetres.
    """

    parts: Mapping[Contrast, Part]
    twins: tuple[tuple[Slice, Slice], ...]
    affine: np.ndarray


def plan_station(water: Stack, fat: Stack) -> tuple[StationPlan, list[Finding]]:
    """Line up water and fat of one acquisition and crop them to what they share.

    Raises:
        MimirError: ``SCALE_MISMATCH``, ``POSITION_MISMATCH``.
    """
    _check_scales(water, fat)
    offset = _offset(water, fat)
    # Fat's voxel i lies at water's voxel i + offset; both are indexed (slice, row, column).
    start = np.maximum(offset, 0)
    stop = np.minimum(water.shape, offset + fat.shape)
    _check_crop(water, fat, start, stop)
    plan = StationPlan(
        parts={
            Contrast.WATER: _part(water, start, stop),
            Contrast.FAT: _part(fat, start - offset, stop - offset),
        },
        twins=water.twins + fat.twins,
        affine=_affine(water, start),
    )
    if water.shape == fat.shape:
        return plan, []
    cropped = Finding(
        "ENDS_CROPPED",
        f"water and fat of the station {water.place}"
        " differ in extent and were cropped to what they share",
    )
    return plan, [cropped]


def _spacing(stack: Stack) -> np.ndarray:
    """Distance of slices, rows and columns in millimetres."""
    return np.array([stack.step_mm, *stack.first.spacing_mm])


def _offset(water: Stack, fat: Stack) -> np.ndarray:
    """Index (slice, row, column) of water at which fat begins."""
    spacing = _spacing(water)
    offset_mm = np.subtract(fat.first.position_mm, water.first.position_mm)[::-1]
    offset = np.rint(offset_mm / spacing)
    apart_mm = np.abs(offset_mm - offset * spacing)
    drift_mm = np.abs(_spacing(fat) - spacing) * fat.shape
    if max(apart_mm.max(), drift_mm.max()) > POSITION_TOLERANCE_MM:
        raise _mismatch(water)
    return offset.astype(int)


def _check_crop(water: Stack, fat: Stack, start: np.ndarray, stop: np.ndarray) -> None:
    """Along each axis one contrast must lie within the other: ends may be missing, not shifted."""
    for size, own, other in zip(stop - start, water.shape, fat.shape):
        if size < min(own, other) or size < (1 - MOST_CROPPED) * max(own, other):
            raise _mismatch(water)


def _part(stack: Stack, start: np.ndarray, stop: np.ndarray) -> Part:
    z, y, x = (slice(a, b) for a, b in zip(start.tolist(), stop.tolist()))
    return Part(stack.slices[z], y, x)


def _affine(water: Stack, start: np.ndarray) -> np.ndarray:
    dz, dy, dx = _spacing(water).tolist()
    x, y, z = water.first.position_mm
    first_slice, first_row, first_column = start.tolist()
    origin = (x + first_column * dx, y + first_row * dy, z + first_slice * dz)
    return axial_affine(origin, (dx, dy, dz))


def _mismatch(water: Stack) -> MimirError:
    return MimirError(
        "POSITION_MISMATCH",
        f"water and fat of the station {water.place} do not lie on the same voxels",
        "Check that both come from one acquisition.",
    )


def _check_scales(water: Stack, fat: Stack) -> None:
    """Refuse a fat fraction of signals in different units.

    A slope may differ between contrasts where it leads to the same unit. Philips' displayed
    values do so only if slope times private scale slope agree (Chenevert et al., Transl Oncol
    2014).
    """
    scales = [_scale(stack) for stack in (water, fat)]
    if scales[0] is None or scales[1] is None or _differ(scales[0], scales[1]):
        raise MimirError(
            "SCALE_MISMATCH",
            f"water and fat of series '{water.first.description}' and '{fat.first.description}'"
            " are not on one signal scale",
            "Export the study with its original scaling.",
        )


def _scale(stack: Stack) -> Optional[tuple[str, float, float]]:
    """Unit, intercept and factor that must agree between contrasts; None if slices disagree."""
    found = {_slice_scale(s) for s in stack.slices}
    return found.pop() if len(found) == 1 else None


def _slice_scale(record: Slice) -> tuple[str, float, float]:
    rescale = record.rescale
    if not record.vendor.lower().startswith("philips"):
        return rescale.kind, rescale.intercept, 1.0
    if rescale.signal_scale is None:
        return rescale.kind, rescale.intercept, rescale.slope
    return rescale.kind, rescale.intercept, rescale.slope * rescale.signal_scale


def _differ(a: tuple[str, float, float], b: tuple[str, float, float]) -> bool:
    return a[0] != b[0] or not np.allclose(a[1:], b[1:], rtol=SCALE_TOLERANCE)
