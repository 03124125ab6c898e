"""What the numbers of usual scans are like: the reference of scans and of batches of scans.

A number may be skewed, or zero in most scans. So it is turned into a normal score: the quantile of
the standard normal distribution at the share of usual scans below it. Of the usual scans, only
quantiles and correlations are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

#: Shares of usual scans at which quantiles are kept, closer together at the ends.
LEVELS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
#: Scans that must show a number.
MIN_SHOWN = 50
#: Levels from an end to the one with which it gives the length of an SD there.
_END = 5
#: Smallest SD, as a share of a number's size: smaller differences are rounding errors.
_MIN_SD = 1e-6

_NORMAL = NormalDist()


@dataclass(frozen=True, eq=False)
class NumberReference:
    """Quantiles and correlations of the numbers of usual scans.

    Attributes:
        names: The numbers.
        levels: Shares of usual scans, increasing, between 0 and 1.
        quantiles: For each number, the values below which these shares of usual scans lie.
        correlation: float64 ``(names, names)``, of the normal scores.
        scans: Number of usual scans.
    """

    names: tuple[str, ...]
    levels: tuple[float, ...]
    quantiles: Mapping[str, tuple[float, ...]]
    correlation: np.ndarray
    scans: int

    def __post_init__(self) -> None:
        levels, count = self.levels, len(self.names)
        is_between = all(0 < level < 1 for level in levels)
        if len(levels) < 2 * _END or not is_between or (np.diff(levels) <= 0).any():
            raise ValueError("the levels of the quantiles must increase between 0 and 1")
        for name in self.names:
            own = self.quantiles.get(name, ())
            if len(own) != len(levels) or not np.isfinite(own).all() or (np.diff(own) < 0).any():
                raise ValueError(f"the quantiles of {name} must be finite and not decrease")
        if self.correlation.shape != (count, count) or not np.isfinite(self.correlation).all():
            raise ValueError("the correlations must be finite, one for each pair of numbers")

    def median(self, name: str) -> float:
        """Return the median of a number among usual scans."""
        return float(np.interp(0.5, self.levels, self.quantiles[name]))


def describe_numbers(names: Sequence[str], values: np.ndarray) -> NumberReference:
    """Describe usual scans by their numbers.

    Numbers that fewer than `MIN_SHOWN` scans show are left out.

    Args:
        names: The numbers.
        values: ``(scans, names)``; NaN where a scan does not show a number.
    """
    shown = [k for k in range(len(names)) if np.isfinite(values[:, k]).sum() >= MIN_SHOWN]
    kept = tuple(names[k] for k in shown)
    quantiles = {
        names[k]: tuple(np.nanquantile(values[:, k], LEVELS).astype(float).tolist()) for k in shown
    }
    scans = len(values)
    reference = NumberReference(kept, LEVELS, quantiles, np.eye(len(kept)), scans)
    scores = np.nan_to_num(normal_scores(reference, values[:, shown]))
    centred = scores - scores.mean(axis=0) if scans else scores
    size = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(size > 0, size, 1.0)
    correlation = unit.T @ unit
    np.fill_diagonal(correlation, 1.0)
    return NumberReference(kept, LEVELS, quantiles, correlation, scans)


def normal_scores(reference: NumberReference, values: np.ndarray) -> np.ndarray:
    """Turn numbers of scans into normal scores; beyond the outermost quantiles they are linear.

    Args:
        reference: Usual scans.
        values: ``(scans, names)``, in the order of ``reference.names``; may contain NaN.

    Returns:
        float64 ``(scans, names)``; NaN where a number is.
    """
    scores = np.full(np.shape(values), np.nan)
    z = np.array([_NORMAL.inv_cdf(level) for level in reference.levels])
    for k, name in enumerate(reference.names):
        own = np.array(reference.quantiles[name])
        column = np.asarray(values[:, k], np.float64)
        known = np.isfinite(column)
        scores[known, k] = _scores(column[known], own, z)
    return scores


def _scores(values: np.ndarray, quantiles: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Turn one number of some scans into normal scores."""
    distinct, first, count = np.unique(quantiles, return_index=True, return_counts=True)
    at = np.array([_tie(z, f, f + c - 1) for f, c in zip(first, count)])
    scores = np.interp(values, distinct, at)
    floor = _MIN_SD * max(float(np.abs(quantiles).max()), _MIN_SD)
    for end, inner in ((0, _END), (-1, -1 - _END)):
        sd = max((quantiles[end] - quantiles[inner]) / (z[end] - z[inner]), floor)
        beyond = (values - quantiles[end]) / sd
        is_out = beyond > 0 if end else beyond < 0
        scores[is_out] = at[end] + beyond[is_out]
    return scores


def _tie(z: np.ndarray, first: int, last: int) -> float:
    """Return the mean normal score of the usual scans that share one value.

    Args:
        z: Normal scores of the levels.
        first: First level whose quantile is this value.
        last: The last one.
    """
    if first == last:
        return float(z[first])
    low = -np.inf if first == 0 else z[first]
    high = np.inf if last == len(z) - 1 else z[last]
    share = _NORMAL.cdf(high) - _NORMAL.cdf(low)
    return float((_NORMAL.pdf(low) - _NORMAL.pdf(high)) / share)
