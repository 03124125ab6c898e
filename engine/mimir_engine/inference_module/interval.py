"""Prediction intervals: conformal where a module's calibration supports them, else Gaussian.

A score is the signed error of a calibrated estimate m in its standard deviations s. On the linear
scale, that of a label y is (y - m) / s. On the log scale, for quantities that are positive and
skewed, it is log(y / m) / t, where t = sqrt(log(1 + (s / m)²)) is the SD of the logarithm of a
lognormal variable with mean m and SD s; labels and estimates below `floor` count as `floor`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.statistics import SEXES

INVALID = "MODULE_INVALID"

LINEAR, LOG = "linear", "log"
#: Key of the bins of all persons, beside those of each sex.
EVERYBODY = "all"
#: How the bounds of an interval were made.
CONFORMAL, GAUSSIAN, NONE = "conformal", "gaussian", "none"
#: Levels that differ less are the same: 0.1 + 0.8 is not 0.9.
SAME_LEVEL = 1e-9


def gaussian_quantile(level: float) -> float:
    """Return the half-width of the Gaussian's central interval in SDs: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


@dataclass(frozen=True)
class IntervalBin:
    """Bounds of the scores of persons whose estimates lie in one range.

    Attributes:
        persons: Number of persons; 0 if it is not known.
        levels: Levels that there are enough persons for, increasing.
        lower: Lower bound of the scores at each level.
        upper: Upper bounds, likewise.
        upto: Largest estimate of the bin, in the target's unit; None for the last bin.
    """

    persons: int
    levels: tuple[float, ...] = ()
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    upto: Optional[float] = None

    def __post_init__(self) -> None:
        _require(
            all(0 < level < 1 for level in self.levels) and _rises(self.levels),
            "the levels of intervals must increase from 0 to 1",
        )
        _require(
            len(self.lower) == len(self.upper) == len(self.levels)
            and all(map(math.isfinite, (*self.lower, *self.upper)))
            and list(self.lower) == sorted(self.lower, reverse=True)
            and list(self.upper) == sorted(self.upper)
            and all(low <= high for low, high in zip(self.lower, self.upper)),
            "intervals must not become narrower at a higher level",
        )

    def bounds(self, level: float) -> tuple[float, float, bool]:
        """Return the bounds of the scores at any level, and whether they are conformal.

        Between the known levels they are interpolated over the Gaussian's quantile. Beyond the
        highest they grow as the Gaussian's and reach at least as far as the Gaussian's own. An
        interval always contains its estimate.
        """
        z = gaussian_quantile(level)
        if not self.levels:
            return -z, z, False
        knots = _knots(self.levels)
        if level > self.levels[-1] + SAME_LEVEL:
            growth = z / knots[-1]
            return min(-z, self.lower[-1] * growth), max(z, self.upper[-1] * growth), False
        low, high = (float(np.interp(z, knots, (0.0, *b))) for b in (self.lower, self.upper))
        return min(low, 0.0), max(high, 0.0), True


@lru_cache(maxsize=256)
def _knots(levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return the Gaussian quantiles of no width and of the levels."""
    return (0.0, *map(gaussian_quantile, levels))


@dataclass(frozen=True)
class Intervals:
    """What a target's intervals are made of, at all levels.

    Attributes:
        persons: Persons that the target was calibrated on. Without bins they were too few, and
            there are no intervals.
        bins: For ``all``, and for ``female`` and ``male`` if there were enough persons, bins by
            estimate, the lowest first.
        scale: ``linear`` or ``log``.
        floor: On the log scale, the smallest number that is told from zero, in the target's unit.
    """

    persons: int
    bins: Mapping[str, tuple[IntervalBin, ...]] = field(default_factory=dict)
    scale: str = LINEAR
    floor: float = 0.0

    def __post_init__(self) -> None:
        _require(self.persons >= 0, "the persons of an interval must be counted")
        _require(self.scale in (LINEAR, LOG), "the scale of intervals must be linear or log")
        _require(
            0 <= self.floor < math.inf and (self.scale == LINEAR or self.floor > 0),
            "the floor of intervals must be above 0 on the log scale",
        )
        _require(not self.bins or EVERYBODY in self.bins, "intervals need bins of all persons")
        for group, bins in self.bins.items():
            _require(group in (EVERYBODY, *SEXES), f"intervals are for an unknown sex {group!r}")
            edges = [part.upto for part in bins]
            inner = [edge for edge in edges if edge is not None]
            _require(
                edges[-1:] == [None] and len(inner) == len(bins) - 1 and _rises(inner),
                "the bins of intervals must increase, the last one without an end",
            )

    def bins_of(self, sex: Optional[str]) -> tuple[IntervalBin, ...]:
        """Return the bins of a sex, or of all persons if it is uncertain or has none."""
        return self.bins.get(sex or EVERYBODY) or self.bins.get(EVERYBODY, ())

    def scores(self, labels: np.ndarray, means: np.ndarray, sds: np.ndarray) -> np.ndarray:
        """Compute the scores of labels; arrays of the same shape, in the target's unit."""
        if self.scale == LINEAR:
            return np.asarray((labels - means) / sds)
        centre, spread = self._lognormal(means, sds)
        return np.asarray(np.log(np.maximum(labels, self.floor) / centre) / spread)

    def values(self, scores: np.ndarray, means: np.ndarray, sds: np.ndarray) -> np.ndarray:
        """Return the values that have these scores: the inverse of `scores`."""
        if self.scale == LINEAR:
            return np.asarray(means + scores * sds)
        centre, spread = self._lognormal(means, sds)
        return np.asarray(centre * np.exp(scores * spread))

    def _lognormal(self, means: np.ndarray, sds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        centre = np.maximum(means, self.floor)
        return centre, np.sqrt(np.log1p((sds / centre) ** 2))


def symmetric_intervals(
    everybody: Mapping[float, float], by_sex: Mapping[str, Mapping[float, float]]
) -> Intervals:
    """Return intervals of one bin per sex from ``{level: half-width in SD}``; Gaussian if empty."""
    bins = {}
    for group, widths in {EVERYBODY: everybody, **by_sex}.items():
        levels = tuple(sorted(widths))
        half = tuple(widths[level] for level in levels)
        bins[group] = (IntervalBin(0, levels, tuple(-width for width in half), half),)
    return Intervals(0, bins)


@dataclass(frozen=True)
class Interval:
    """One prediction interval.

    Attributes:
        lower: Lower bound, in the target's unit; None without an interval.
        upper: Upper bound, likewise.
        method: ``conformal``, ``gaussian`` or ``none``.
        persons: Persons that the bounds were calibrated on; 0 if it is not known.
    """

    lower: Optional[float]
    upper: Optional[float]
    method: str
    persons: int = 0


def interval_of(
    intervals: Intervals, value: float, sd: float, level: float, sex: Optional[str]
) -> Interval:
    """Return the interval of one estimate.

    Args:
        intervals: Those of the target.
        value: The estimate, in the target's unit.
        sd: Its standard deviation.
        level: Share of the intervals that contain the true value, between 0 and 1.
        sex: ``female`` or ``male`` if certain.
    """
    bins = intervals.bins_of(sex)
    if not bins:
        return Interval(None, None, NONE, intervals.persons)
    part = bins[int(_bin_of(bins, np.array([value]))[0])]
    low, high, is_conformal = part.bounds(level)
    at_value, at_sd = np.array([value, value]), np.array([sd, sd])
    lower, upper = intervals.values(np.array([low, high]), at_value, at_sd).tolist()
    method = CONFORMAL if is_conformal else GAUSSIAN
    return Interval(min(lower, value), max(upper, value), method, part.persons)


def interval_bounds(
    intervals: Intervals, means: np.ndarray, sds: np.ndarray, level: float, sex: Optional[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of many estimates at once, NaN without an interval; as `interval_of`."""
    bins = intervals.bins_of(sex)
    if not bins:
        nothing = np.full(means.shape, np.nan)
        return nothing, nothing
    scores = np.array([part.bounds(level)[:2] for part in bins])
    low, high = scores[_bin_of(bins, means)].T
    lower, upper = intervals.values(low, means, sds), intervals.values(high, means, sds)
    return np.minimum(lower, means), np.maximum(upper, means)


def _bin_of(bins: Sequence[IntervalBin], means: np.ndarray) -> np.ndarray:
    edges = [part.upto for part in bins if part.upto is not None]
    return np.searchsorted(edges, means)


def _rises(values: Sequence[float]) -> bool:
    return all(low < high for low, high in zip(values, values[1:]))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise MimirError(INVALID, what)
