"""Keep the regions of a mask that are thick somewhere."""

from __future__ import annotations

import numpy as np

#: Voxels along slice, row and column of the blocks in which regions are followed.
BLOCK = (2, 4, 4)
#: Rounds of growth along the three axes; a body takes three or four.
MAX_ROUNDS = 20


def thick_regions(mask: np.ndarray) -> np.ndarray:
    """Return where the regions of a mask are that fill two blocks along each axis somewhere.

    Regions that are less than a block apart count as one.

    Args:
        mask: bool ``[slice, row, column]`` without details of a single voxel.

    Returns:
        True in and around these regions, of the mask's shape.
    """
    coarse = _any_of_blocks(mask)
    region = coarse.copy()
    for axis in range(3):
        along = np.moveaxis(region, axis, 0)
        both = along[1:] & along[:-1]
        along[:] = False
        along[1:] = both
        along[:-1] |= both
    runs = [_runs(coarse, axis) for axis in range(3)]
    for _ in range(MAX_ROUNDS):
        before = np.count_nonzero(region)
        for axis in (1, 2, 0):
            region = _complete_runs(region, runs[axis], axis)
        if np.count_nonzero(region) == before:
            break
    for axis, step in enumerate(BLOCK):
        region = _with_neighbours(region, axis).repeat(step, axis)
    return region[tuple(slice(0, size) for size in mask.shape)]


def _any_of_blocks(mask: np.ndarray) -> np.ndarray:
    """Return whether a block has True voxels, of which each second one along an axis is enough."""
    some = mask[::2, ::2, ::2]
    for axis in (1, 2):
        along = np.moveaxis(some, axis, 0)
        joined = along[::2].copy()
        joined[: len(along) // 2] |= along[1::2]
        some = np.moveaxis(joined, 0, axis)
    return some


def _with_neighbours(mask: np.ndarray, axis: int) -> np.ndarray:
    """Extend a mask by one voxel in both directions of an axis."""
    along = np.moveaxis(mask, axis, 0)
    grown = along.copy()
    grown[1:] |= along[:-1]
    grown[:-1] |= along[1:]
    return np.moveaxis(grown, 0, axis)


def _runs(mask: np.ndarray, axis: int) -> np.ndarray:
    """Number the runs of a mask along an axis, which becomes the last; 0 outside."""
    along = np.ascontiguousarray(np.moveaxis(mask, axis, -1))
    start = along.copy()
    start[..., 1:] &= ~along[..., :-1]
    return np.where(along, start.ravel().cumsum(dtype=np.int32).reshape(along.shape), 0)


def _complete_runs(region: np.ndarray, runs: np.ndarray, axis: int) -> np.ndarray:
    """Extend a region to the complete runs that it touches."""
    touched = np.zeros(int(runs.max(initial=0)) + 1, bool)
    touched[runs[np.moveaxis(region, axis, -1)]] = True
    touched[0] = False
    return np.moveaxis(touched[runs], -1, axis)
