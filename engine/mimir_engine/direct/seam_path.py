"""Find smooth paths from foot to head through maps of the body seen from the front."""

from __future__ import annotations

import numpy as np

#: Columns that a path may move from one slice to the next, and the cost of each, in mm of depth.
MAX_STEP, STEP_COST = 2, 1.0


def cheapest_paths(cost: np.ndarray) -> np.ndarray:
    """Find the cheapest path through each map by dynamic programming.

    Args:
        cost: ``[map, slice, column]`` in mm of depth.

    Returns:
        Column of each path in each slice, ``[map, slice]``.
    """
    maps, slices, columns = cost.shape
    moves = range(-MAX_STEP, MAX_STEP + 1)
    padded = np.full((maps, columns + 2 * MAX_STEP), np.inf, np.float32)
    inner = padded[:, MAX_STEP : MAX_STEP + columns]
    chosen = np.empty((slices, maps, columns), np.int8)
    inner[:] = cost[:, 0]
    extra = np.array([STEP_COST * abs(move) for move in moves], np.float32)[:, None, None]
    windows = np.stack([padded[:, m + MAX_STEP : m + MAX_STEP + columns] for m in moves])
    for index in range(1, slices):
        for place, move in enumerate(moves):
            windows[place] = padded[:, move + MAX_STEP : move + MAX_STEP + columns]
        windows += extra
        chosen[index] = windows.argmin(axis=0)
        inner[:] = windows.min(axis=0) + cost[:, index]
    paths = np.empty((maps, slices), np.intp)
    paths[:, -1] = inner.argmin(axis=1)
    every = np.arange(maps)
    for index in range(slices - 1, 0, -1):
        here = paths[:, index]
        paths[:, index - 1] = here + chosen[index, every, here] - MAX_STEP
    return paths
