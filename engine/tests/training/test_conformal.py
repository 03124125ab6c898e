"""Compare conformal bounds with independent implementations, and test their coverage."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.inference_module.coverage import coverage_range
from mimir_engine.inference_module.interval import Intervals, interval_bounds
from mimir_engine.training.conformal import (
    LEVELS,
    MIN_IN_BIN,
    MIN_PERSONS,
    bin_of,
    bins_by_estimate,
    choose_scale,
    fit_intervals,
    person_weights,
)


def errors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw skewed errors, and predicted SDs that explain part of their size."""
    rng = np.random.default_rng(seed)
    sd = rng.uniform(0.5, 2.0, count)
    return sd**1.5 * (rng.gamma(2.0, size=count) - 1.5), sd


def fitted(
    labels: np.ndarray, means: np.ndarray, sexes: np.ndarray | None = None, **options: bool
) -> Intervals:
    """Intervals of estimates with an SD of 1, each of another person."""
    ones = np.ones(len(labels))
    sexes = np.full(len(labels), "") if sexes is None else sexes
    return fit_intervals(labels, means, ones, ones, sexes, **options)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(39, 1, 39), (40, 1, 40), (79, 2, 78), (399, 10, 390)]
)
def test_the_bounds_are_the_scores_of_the_theoretical_ranks(
    count: int, low: int, high: int
) -> None:
    scores = np.random.default_rng(1).permutation(np.arange(1, count + 1)).astype(float)
    assert bin_of(scores, np.ones(count)).bounds(0.95)[:2] == (0.0, high)
    assert bin_of(scores - count, np.ones(count)).bounds(0.95)[:2] == (low - count, 0.0)


def test_levels_that_need_more_persons_have_no_bounds() -> None:
    assert max(bin_of(np.arange(38.0), np.ones(38)).levels) == 0.9
    assert max(bin_of(np.arange(39.0), np.ones(39)).levels) == 0.95


def test_bounds_are_those_of_crepes() -> None:
    crepes = pytest.importorskip("crepes")
    error, sd = errors(997)
    ours = bin_of(error / sd, np.ones(997))
    # crepes' predictive system has the signed residuals; it ranks each side by itself.
    system = crepes.ConformalPredictiveSystem().fit(error, sigmas=sd)
    for level, low, high in zip(ours.levels, ours.lower, ours.upper):
        theirs = system.predict_int(np.array([5.0]), np.array([2.0]), confidence=level)
        assert theirs[0] == pytest.approx([5 + 2 * low, 5 + 2 * high], rel=1e-5)


def test_bounds_in_bins_are_those_of_mondrian_crepes() -> None:
    crepes = pytest.importorskip("crepes")
    error, sd = errors(2_700)
    means = np.random.default_rng(5).normal(size=2_700)
    ours = bins_by_estimate(error / sd, means, np.ones(2_700))
    assert len(ours) == 10
    which = np.searchsorted([part.upto for part in ours[:-1]], means)
    system = crepes.ConformalPredictiveSystem().fit(error, sigmas=sd, bins=which)
    for number, part in enumerate(ours):
        assert part.persons == (which == number).sum()
        theirs = system.predict_int(
            np.array([0.0]), np.array([1.0]), np.array([number]), confidence=0.95
        )
        at = part.levels.index(0.95)
        assert theirs[0] == pytest.approx([part.lower[at], part.upper[at]], rel=1e-5)


def test_bounds_of_plain_errors_are_those_of_mapie() -> None:
    regression = pytest.importorskip("mapie.regression")
    scores = pytest.importorskip("mapie.conformity_scores")
    dummy = pytest.importorskip("sklearn.dummy")
    error, _ = errors(500)
    nothing = np.zeros((500, 1))
    zero = dummy.DummyRegressor(strategy="constant", constant=0.0).fit(nothing, error)
    split = regression.SplitConformalRegressor(
        zero,
        confidence_level=[0.5, 0.8, 0.95],
        conformity_score=scores.AbsoluteConformityScore(sym=False),
    )
    _, bounds = split.conformalize(nothing, error).predict_interval(nothing[:1])
    ours = bin_of(error, np.ones(500), levels=(0.5, 0.8, 0.95))
    assert bounds[0] == pytest.approx(np.array([ours.lower, ours.upper]), rel=1e-5)


def test_new_persons_are_covered_for_any_distribution_of_errors() -> None:
    shares = []
    for seed in range(300):
        error, sd = errors(400, seed)
        scores = error / sd
        part = bin_of(scores[:200], np.ones(200), levels=(0.5, 0.8, 0.95))
        inside = [(low <= scores[200:]) & (scores[200:] <= high)
                  for low, high in zip(part.lower, part.upper)]  # fmt: skip
        shares.append([share.mean() for share in inside])
    # The mean of Beta(u - l, n + 1 - u + l), whatever the distribution.
    expected = [1 - 2 * np.floor(201 * (1 - level) / 2) / 201 for level in (0.5, 0.8, 0.95)]
    assert np.mean(shares, axis=0) == pytest.approx(expected, abs=0.008)
    low, high = coverage_range(200, 0.95)
    # Each share also scatters by chance among its 200 fresh persons.
    assert np.mean([low - 0.03 < share[2] < high + 0.03 for share in shares]) > 0.95


def test_large_and_small_estimates_are_covered_where_errors_grow_with_the_estimate() -> None:
    rng = np.random.default_rng(3)
    means = rng.uniform(2, 10, 16_000)
    labels = means + means / 5 * rng.standard_normal(16_000)
    learnt, fresh = slice(0, 8_000), slice(8_000, None)
    intervals = fitted(labels[learnt], means[learnt])
    plain = bin_of(labels[learnt] - means[learnt], np.ones(8_000))
    sds = np.ones(8_000)
    lower, upper = interval_bounds(intervals, means[fresh], sds, 0.95, None)
    inside = (lower <= labels[fresh]) & (labels[fresh] <= upper)
    top = means[fresh] > 9.5
    assert inside[top].mean() == pytest.approx(0.95, abs=0.03)
    assert inside[means[fresh] < 2.4].mean() == pytest.approx(0.95, abs=0.03)
    low, high, _ = plain.bounds(0.95)
    error = (labels - means)[fresh]
    assert ((low <= error) & (error <= high))[top].mean() < 0.9


def test_each_side_of_a_skewed_error_is_missed_equally_often() -> None:
    error, _ = errors(20_000)
    part = bin_of(error[:10_000], np.ones(10_000))
    low, high, _ = part.bounds(0.95)
    fresh = error[10_000:]
    assert [(fresh < low).mean(), (fresh > high).mean()] == pytest.approx([0.025, 0.025], abs=0.006)


def test_each_sex_is_covered_if_one_is_predicted_worse() -> None:
    rng = np.random.default_rng(2)
    sexes = np.where(rng.random(8_000) < 0.7, "female", "male")
    means = rng.normal(size=8_000)
    labels = means + rng.standard_normal(8_000) * np.where(sexes == "male", 2.0, 1.0)
    learnt, fresh = slice(0, 4_000), slice(4_000, None)
    intervals = fitted(labels[learnt], means[learnt], sexes[learnt])
    for sex in ("female", "male"):
        own = sexes[fresh] == sex
        at = means[fresh][own], np.ones(own.sum())
        for level in (0.5, 0.8, 0.95):
            lower, upper = interval_bounds(intervals, *at, level, sex)
            inside = (lower <= labels[fresh][own]) & (labels[fresh][own] <= upper)
            assert inside.mean() == pytest.approx(level, abs=0.03)


@pytest.mark.parametrize(("women", "enough"), [(MIN_IN_BIN - 1, False), (MIN_IN_BIN, True)])
def test_bounds_by_sex_require_enough_persons_of_each(women: int, enough: bool) -> None:
    count = women + 900
    means = np.random.default_rng(3).random((2, count))
    sexes = np.array(["female"] * women + ["male"] * 900)
    intervals = fitted(*means, sexes)
    assert set(intervals.bins) == ({"all", "female", "male"} if enough else {"all"})


@pytest.mark.parametrize(("count", "bins"), [(MIN_PERSONS - 1, 0), (MIN_PERSONS, 1), (450, 2)])
def test_few_persons_have_few_bins_or_no_interval(count: int, bins: int) -> None:
    labels, means = np.random.default_rng(4).normal(size=(2, count))
    intervals = fitted(labels, means)
    assert intervals.persons == count
    assert len(intervals.bins.get("all", ())) == bins


def test_persons_count_and_not_their_scans() -> None:
    rng = np.random.default_rng(6)
    labels, means = rng.normal(size=(2, 60))
    thrice = [f"person{row % 60}" for row in range(180)]
    weights = person_weights(thrice)
    assert weights.sum() == pytest.approx(60)
    again = np.tile(labels, 3), np.tile(means, 3), np.ones(180)
    assert fit_intervals(*again, weights, np.full(180, "")) == Intervals(60)
    scores = rng.normal(size=400)
    once, twice = bin_of(scores, np.ones(400)), bin_of(np.tile(scores, 2), np.full(800, 0.5))
    assert twice == once


def test_equal_estimates_share_a_bin() -> None:
    scores = np.random.default_rng(7).normal(size=1_000)
    (one,) = bins_by_estimate(scores, np.full(1_000, 3.0), np.ones(1_000))
    assert (one.persons, one.upto) == (1_000, None)
    halves = bins_by_estimate(scores, np.repeat([1.0, 2.0], 500), np.ones(1_000))
    assert [(part.persons, part.upto) for part in halves] == [(500, 1.5), (500, None)]


def test_only_skewed_quantities_above_zero_have_the_log_scale() -> None:
    rng = np.random.default_rng(8)
    skewed, even = rng.lognormal(1, 0.7, 2_000), rng.normal(170, 9, 2_000)
    assert choose_scale(skewed, non_negative=True) == ("log", 0.5 * skewed.min())
    assert choose_scale(skewed, non_negative=False)[0] == "linear"
    assert choose_scale(even, non_negative=True)[0] == "linear"
    assert choose_scale(-skewed, non_negative=True)[0] == "linear"
    # Most are near zero: the logarithm would be more skewed than the quantity.
    assert choose_scale(np.maximum(even - 168, 1e-6), non_negative=True)[0] == "linear"


def test_all_levels_rise() -> None:
    assert list(LEVELS) == sorted(LEVELS)
