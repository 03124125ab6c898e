"""Keep the regions of a mask that are thick somewhere."""

from __future__ import annotations

import numpy as np

#: Every second voxel along each axis is enough to follow regions of two voxels and more.
STEP = 2
#: Rounds of growth along the three axes; a body takes three or four.
MAX_ROUNDS = 20


def regions_with_core(mask: np.ndarray) -> np.ndarray:
    """Return where regions of a mask are that hold a block of three voxels, seen coarsely.

    Args:
        mask: bool ``[slice, row, column]`` without details of a single voxel.

    Returns:
        True around these regions, of the mask's shape.
    """
    coarse = mask[::STEP, ::STEP, ::STEP]
    region = coarse.copy()
    for axis in range(3):
        along = np.moveaxis(region, axis, 0)
        core = along[1:-1] & along[:-2] & along[2:]
        along[1:-1] = core
        along[:1] = along[-1:] = False
    runs = [_runs(coarse, axis) for axis in range(3)]
    for _ in range(MAX_ROUNDS):
        before = np.count_nonzero(region)
        for axis in (1, 2, 0):
            region = _along_runs(region, runs[axis], axis)
        if np.count_nonzero(region) == before:
            break
    for axis in range(3):
        region = region.repeat(STEP, axis)
    return region[tuple(slice(0, size) for size in mask.shape)]


def _runs(mask: np.ndarray, axis: int) -> np.ndarray:
    """Number the runs of a mask along an axis, int32; 0 outside; the axis is the last one."""
    along = np.ascontiguousarray(np.moveaxis(mask, axis, -1))
    start = along.copy()
    start[..., 1:] &= ~along[..., :-1]
    return np.where(along, start.ravel().cumsum(dtype=np.int32).reshape(along.shape), 0)


def _along_runs(region: np.ndarray, runs: np.ndarray, axis: int) -> np.ndarray:
    """Extend a region to the complete runs that it touches."""
    touched = np.zeros(int(runs.max()) + 1, bool)
    touched[runs[np.moveaxis(region, axis, -1)]] = True
    touched[0] = False
    return np.moveaxis(touched[runs], -1, axis)
