"""Draw bootstrap samples of persons and compute percentile intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def resample_counts(persons: Sequence[str], resamples: int, seed: int) -> np.ndarray:
    """Count how often each study is drawn in each resample: uint8 (resamples, studies).

    Each resample draws as many persons as there are, with replacement, and all studies of each:
    two visits of one person are not independent. Metrics, targets and subgroups all use the same
    resamples.
    """
    _, person_of = np.unique(np.asarray(persons), return_inverse=True)
    count = int(person_of.max()) + 1
    rng = np.random.default_rng(seed)
    # uint8 is enough: one of n is practically never drawn more than 255 times in n.
    counts = np.empty((resamples, len(persons)), dtype=np.uint8)
    for row in counts:
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        row[:] = drawn[person_of]
    return counts


def percentile_intervals(samples: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle share of the resamples' values (linear between order statistics).

    Args:
        samples: (resamples, ...); NaN (undefined in that resample) is left out.
        level: The share.

    Returns:
        Lower and upper bounds (...); NaN if fewer than two values are known.
    """
    ordered = np.sort(samples, axis=0)  # NaN last
    known = np.isfinite(ordered).sum(axis=0)
    bounds = []
    for quantile in ((1 - level) / 2, (1 + level) / 2):
        place = np.maximum(known - 1, 0) * quantile
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(known - 1, 0))
        low = np.take_along_axis(ordered, below[None], axis=0)[0]
        high = np.take_along_axis(ordered, above[None], axis=0)[0]
        bounds.append(np.where(known > 1, low + (place - below) * (high - low), np.nan))
    return bounds[0], bounds[1]
