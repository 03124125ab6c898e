"""How well the calibration of an interval is known: the distribution of its true coverage.

Between the l-th and the u-th smallest of n scores lies a share of the population that has, over all
possible calibrations, the distribution Beta(u - l, n + 1 - u + l).
"""

from __future__ import annotations

import math
from functools import lru_cache

#: Share of calibrations whose true coverage lies in the given range.
SHARE = 0.95
#: Halvings of the range of a coverage: finer than any use of it.
HALVINGS = 40


def lower_rank(persons: int, level: float) -> int:
    """Return the rank of the score that is the lower bound of a two-sided interval.

    The upper bound's score is as far from the largest. 0 if there are too few persons.
    """
    # Rounded, because 40 x 0.025 is not 1.0000000000000009.
    return math.floor(round((persons + 1) * (1.0 - level) / 2.0, 9))


@lru_cache(maxsize=4096)
def coverage_range(persons: int, level: float) -> tuple[float, float]:
    """Return the range that the true coverage of intervals of a level has in 95 % of calibrations.

    Args:
        persons: Persons that the interval was calibrated on.
        level: Level of the intervals; there must be enough persons for it.

    Examples:
        >>> [round(share, 3) for share in coverage_range(399, 0.95)]
        [0.927, 0.969]
    """
    outside = 2 * lower_rank(persons, level)
    if outside < 1:
        return 0.0, 1.0
    low, high = (beta_quantile(share, persons + 1 - outside, outside) for share in _ENDS)
    return low, high


_ENDS = ((1 - SHARE) / 2, (1 + SHARE) / 2)


def beta_quantile(share: float, a: int, b: int) -> float:
    """Return the quantile of a Beta distribution with whole parameters, by halving.

    Beta(a, b) lies below x with the probability that of a + b - 1 trials of probability x at least
    a succeed.
    """
    trials = a + b - 1
    ways = [
        math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(trials - hits + 1)
        for hits in range(a, trials + 1)
    ]
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        x = (low + high) / 2
        log_hit, log_miss = math.log(x), math.log1p(-x)
        below = math.fsum(
            math.exp(way + hits * log_hit + (trials - hits) * log_miss)
            for hits, way in enumerate(ways, start=a)
        )
        low, high = (x, high) if below < share else (low, x)
    return (low + high) / 2
