"""Lay the output grid over a volume of any voxel size, and sample the volume there."""

from __future__ import annotations

import math

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion.grid import (
    MAX_VOXELS,
    OUTPUT_SPACING_MM,
    AxisSamples,
    StationGrid,
    axis_samples,
    is_on_grid,
)
from mimir_engine.fusion.resample import resample_in_plane
from mimir_engine.study.volume import Volume, axial_affine


def output_grid(volume: Volume) -> StationGrid:
    """Place the voxels of a volume on the output grid.

    The grid begins at the topmost slice and at the first row and column, as for stations. Where
    all voxels lie on it, they are copied.

    Raises:
        MimirError: ``VOLUME_TOO_LARGE`` if the volume would have more than ``MAX_VOXELS`` there;
            ``VOLUME_GEOMETRY`` if it would have none.
    """
    steps = [mm / own for mm, own in zip(volume.spacing_mm, OUTPUT_SPACING_MM)]
    counts = volume.array.shape[::-1]
    if all(is_on_grid(0, step, count) for step, count in zip(steps, counts)):
        steps = [1.0] * 3
    sizes = [round(step * count) for step, count in zip(steps, counts)]
    shown = " x ".join(map(str, sizes))
    if math.prod(sizes) > MAX_VOXELS:
        raise MimirError(
            "VOLUME_TOO_LARGE",
            f"at MIMIR's voxel size the volume has {shown} voxels; the limit is"
            f" {MAX_VOXELS // 10**6} million",
            "Crop it to the body.",
        )
    if min(sizes) < 1:
        raise MimirError(
            "VOLUME_GEOMETRY",
            f"at MIMIR's voxel size the volume has {shown} voxels",
            "Give the complete volume.",
        )
    x, y, z = (axis_samples(0, step, count) for step, count in zip(steps, counts))
    return StationGrid(z, y, x)


def output_affine(volume: Volume, grid: StationGrid) -> np.ndarray:
    """Return the ``(4, 4)`` affine of a volume on its output grid, to LPS millimetres."""
    x, y, bottom = volume.affine[:3, 3].tolist()
    top = bottom + (len(volume.array) - 1) * volume.spacing_mm[2]
    lowest = top - (len(grid.z.lower) - 1) * OUTPUT_SPACING_MM[2]
    return axial_affine((x, y, lowest), OUTPUT_SPACING_MM)


def sample_volume(array: np.ndarray, grid: StationGrid) -> np.ndarray:
    """Sample a volume on its output grid, linearly: float32 ``[slice, row, column]``."""
    if grid.is_copy:
        return array.astype(np.float32, copy=False)
    sampled = np.zeros([len(axis.lower) for axis in (grid.z, grid.y, grid.x)], np.float32)
    downwards = sampled[::-1]
    for source, image in enumerate(array[::-1]):
        shares = _shares(grid.z, source)
        if shares:
            plane = _plane(image, grid)
            for target, share in shares:
                downwards[target] += np.float32(share) * plane
    return sampled


def sample_slice(array: np.ndarray, grid: StationGrid, index: int) -> np.ndarray:
    """Sample one slice of a volume on its output grid: float32 ``[row, column]``.

    Args:
        array: ``[slice, row, column]``.
        grid: Its output grid.
        index: The slice, counted from the foot.
    """
    downwards, place = array[::-1], len(grid.z.lower) - 1 - index
    lower, upper = (_plane(downwards[at[place]], grid) for at in (grid.z.lower, grid.z.upper))
    weight = np.float32(grid.z.weight[place])
    return np.asarray((1 - weight) * lower + weight * upper)


def _plane(image: np.ndarray, grid: StationGrid) -> np.ndarray:
    sampled: np.ndarray = resample_in_plane(image[np.newaxis], grid.y, grid.x)[0]
    return sampled.astype(np.float32, copy=False)


def _shares(z: AxisSamples, source: int) -> list[tuple[int, float]]:
    """Return the output slices, from the head, that a slice adds to, and its share of each."""
    terms = ((z.lower, 1 - z.weight), (z.upper, z.weight))
    return [
        (int(target), float(share[target]))
        for at, share in terms
        for target in np.flatnonzero((at == source) & (share > 0))
    ]
