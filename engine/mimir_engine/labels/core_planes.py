"""Erode labels, so that no voxel is left that shares its signal with what lies beside the label."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

#: Part of a voxel by which spacings of the same grid may differ, through rounding.
SPACING_TOLERANCE = 0.01

#: Voxels that are eroded along slices, rows and columns.
Reach = tuple[int, ...]


def erosion_reach(spacing_mm: tuple[float, ...], image_spacing_mm: tuple[float, ...]) -> Reach:
    """Return how many voxels of a label map make one voxel of the images, at least one.

    Args:
        spacing_mm: Of the label map, along column, row and slice.
        image_spacing_mm: Of the images, likewise.
    """
    ratios = (image / own for own, image in zip(spacing_mm, image_spacing_mm))
    return tuple(max(1, math.ceil(ratio - SPACING_TOLERANCE)) for ratio in ratios)[::-1]


def core_planes(labels: np.ndarray, reach: Reach) -> Iterator[np.ndarray]:
    """Yield each slice with the voxels that are left of each label, 0 elsewhere.

    A voxel is left if its neighbours along each axis, as far as the reach, have the same label:
    with a reach of one these are its 6 neighbours. What lies beyond the label map has none.

    Args:
        labels: ``[slice, row, column]``.
        reach: Voxels along slices, rows and columns.
    """
    along, *in_plane = reach
    for index, plane in enumerate(labels):
        core = plane != 0
        for step in range(1, along + 1):
            for other in (index - step, index + step):
                is_there = 0 <= other < len(labels)
                core &= (labels[other] == plane) if is_there else False
        for axis, distance in enumerate(in_plane):
            _erode(core, plane, axis, distance)
        yield np.where(core, plane, 0).astype(labels.dtype)


def _erode(core: np.ndarray, plane: np.ndarray, axis: int, distance: int) -> None:
    """Remove the voxels from a core, in place, whose neighbours along an axis differ."""
    core, plane = core.swapaxes(0, axis), plane.swapaxes(0, axis)
    for step in range(1, distance + 1):
        same = plane[step:] == plane[:-step]
        core[:-step] &= same
        core[step:] &= same
        core[:step] = False
        core[max(len(core) - step, 0) :] = False
