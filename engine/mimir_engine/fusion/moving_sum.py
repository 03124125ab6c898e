"""Add up what lies near each voxel."""

from __future__ import annotations

import numpy as np


def moving_sum(values: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """Sum over a window of ``2 * reach + 1`` along an axis; zero beyond the ends."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach + 1, reach)
    sums = np.pad(values.astype(np.float64), padding).cumsum(axis=axis)
    after = np.arange(2 * reach + 1, sums.shape[axis])
    return np.asarray(sums.take(after, axis) - sums.take(after - 2 * reach - 1, axis))
