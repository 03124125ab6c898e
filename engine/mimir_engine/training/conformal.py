"""Split-conformal intervals: two-sided, in bins by estimate, and by sex where persons suffice.

The scores (`inference_module.interval`) of n persons whom the network has not seen are sorted. The
interval of a level p reaches from the floor((n + 1) (1 - p) / 2)-th to the
ceil((n + 1) (1 + p) / 2)-th of them, so it exists from n + 1 >= 2 / (1 - p) on. It contains the
truth of a new person who is exchangeable with these with at least that probability, for any
distribution of errors, on either side (Papadopoulos et al., "Inductive confidence machines for
regression", 2002; scaled by the SD: Lei et al., "Distribution-free predictive inference for
regression", 2018; each side by itself: Linusson et al., "Signed-error conformal regression", 2014).

Computed in each bin alone, this holds in each bin (Mondrian; Vovk et al., 2003): for small and for
large estimates, and for women and for men.

The share that the intervals of one calibration cover in truth is random: between the l-th and the
u-th of n scores it has the distribution Beta(u - l, n + 1 - u + l) (Vovk, "Conditional validity of
inductive conformal predictors", 2012).

Persons count, not scans: each study of a person with k studies weighs 1 / k.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Optional

import numpy as np

from mimir_engine.inference_module.coverage import lower_rank
from mimir_engine.inference_module.interval import (
    EVERYBODY,
    LINEAR,
    LOG,
    IntervalBin,
    Intervals,
)
from mimir_engine.inference_module.statistics import SEXES

#: Levels of the stored quantiles: enough to draw a calibration curve. 0.99 needs 199 persons in a
#: bin, 0.995 needs 399.
LEVELS = (*(round(0.1 * step, 1) for step in range(1, 10)), 0.95, 0.975, 0.99, 0.995)

#: Fewer persons give no interval: with 100, one calibration in 20 covers less than 92 % instead of
#: 95 %; with 20, which give no two-sided interval of 95 % at all, it would be 86 %.
MIN_PERSONS = 100
#: Persons of a bin: one in 20 then covers less than 93 % instead of 95 %.
MIN_IN_BIN = 200
#: More bins would each have fewer persons, and differ by chance more than by the estimate.
MAX_BINS = 10

#: Skewness above which a positive quantity has intervals on the log scale. It is that of Kelly,
#: (q95 - 2 q50 + q5) / (q95 - q5), of the labels: 0 if symmetrical, 1 at most.
MIN_SKEWNESS = 0.25
#: Zero counts as this part of the smallest label above it.
FLOOR = 0.5


def person_weights(persons: Sequence[str]) -> np.ndarray:
    """Return the weight of each study, float64 ``(studies,)``: together 1 for each person."""
    studies = Counter(persons)
    return np.array([1.0 / studies[person] for person in persons])


def fit_intervals(
    labels: np.ndarray,
    means: np.ndarray,
    sds: np.ndarray,
    weights: np.ndarray,
    sexes: np.ndarray,
    non_negative: bool = False,
) -> Intervals:
    """Compute the intervals of one target; none for fewer than `MIN_PERSONS`.

    Args:
        labels: True values in the target's unit, float64 ``(studies,)``, like the next three.
        means: Calibrated estimates.
        sds: Their calibrated standard deviations.
        weights: Those of `person_weights`.
        sexes: Recorded sex, ``female`` or ``male``; anything else is unknown.
        non_negative: Whether the quantity cannot be below zero.
    """
    persons = count_persons(weights)
    if persons < MIN_PERSONS:
        return Intervals(persons)
    scale, floor = choose_scale(labels, non_negative)
    intervals = Intervals(persons, scale=scale, floor=floor)
    scores = intervals.scores(labels, means, sds)
    groups = {EVERYBODY: np.ones(len(labels), bool), **{sex: sexes == sex for sex in SEXES}}
    # Both sexes or none: bins of everybody would mostly describe the larger one.
    if min(count_persons(weights[groups[sex]]) for sex in SEXES) < MIN_IN_BIN:
        groups = {EVERYBODY: groups[EVERYBODY]}
    bins = {
        group: bins_by_estimate(scores[rows], means[rows], weights[rows])
        for group, rows in groups.items()
    }
    return Intervals(persons, bins, scale, floor)


def count_persons(weights: np.ndarray) -> int:
    """Return how many whole persons studies of these weights are."""
    return math.floor(float(weights.sum()) + 1e-6)


def choose_scale(labels: np.ndarray, non_negative: bool) -> tuple[str, float]:
    """Return the scale of a quantity's intervals and, on the log scale, its floor.

    The log scale is for quantities that cannot be negative and are skewed, if it helps.
    """
    positive = labels[labels > 0]
    if not non_negative or len(positive) < len(labels) / 2:
        return LINEAR, 0.0
    floor = FLOOR * float(positive.min())
    skewness = kelly_skewness(labels)
    if skewness < MIN_SKEWNESS or skewness < abs(kelly_skewness(np.log(np.maximum(labels, floor)))):
        return LINEAR, 0.0
    return LOG, floor


def kelly_skewness(values: np.ndarray) -> float:
    """Return Kelly's robust skewness between the 5th and the 95th percentile, from -1 to 1."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return float((high - 2 * middle + low) / (high - low)) if high > low else 0.0


def bins_by_estimate(
    scores: np.ndarray, means: np.ndarray, weights: np.ndarray
) -> tuple[IntervalBin, ...]:
    """Sort persons into bins of about equal number by estimate, and compute each bin's bounds."""
    count = min(MAX_BINS, max(1, count_persons(weights) // MIN_IN_BIN))
    order = np.argsort(means, kind="stable")
    reached = np.cumsum(weights[order])
    ends = np.searchsorted(reached, reached[-1] * np.arange(1, count) / count - 1e-6)
    ordered = means[order]
    last = np.unique(ordered[ends])  # fewer where many estimates are the same
    last = last[last < ordered[-1]]
    inner = (last + ordered[np.searchsorted(ordered, last, side="right")]) / 2
    bins = np.searchsorted(inner, means)
    return tuple(
        bin_of(scores[bins == number], weights[bins == number], upto)
        for number, upto in enumerate((*inner.tolist(), None))
    )


def bin_of(
    scores: np.ndarray,
    weights: np.ndarray,
    upto: Optional[float] = None,
    levels: Sequence[float] = LEVELS,
) -> IntervalBin:
    """Compute the bounds of scores at all levels that there are enough persons for."""
    persons = count_persons(weights)
    possible = tuple(level for level in levels if lower_rank(persons, level) >= 1)
    ranks = [persons + 1 - lower_rank(persons, level) for level in possible]
    return IntervalBin(
        persons,
        possible,
        tuple(-score for score in _scores_of_rank(-scores, weights, ranks)),
        tuple(_scores_of_rank(scores, weights, ranks)),
        upto,
    )


def _scores_of_rank(scores: np.ndarray, weights: np.ndarray, ranks: Sequence[int]) -> list[float]:
    """Return the smallest scores up to which the weights add up to these ranks."""
    order = np.argsort(scores)
    places = np.searchsorted(np.cumsum(weights[order]), np.asarray(ranks) - 1e-6)
    found = scores[order][np.minimum(places, len(order) - 1)]
    return [float(f"{score:.6g}") for score in found.tolist()]  # no bound is known more closely
