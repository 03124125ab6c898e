"""Test the bounds of intervals at any level, and what is known of their coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.coverage import beta_quantile, coverage_range, lower_rank
from mimir_engine.inference_module.interval import (
    Interval,
    IntervalBin,
    Intervals,
    gaussian_quantile,
    interval_bounds,
    interval_of,
    symmetric_intervals,
)

LEVELS = (0.5, 0.9, 0.95)
ONE = IntervalBin(400, LEVELS, (-0.5, -1.5, -2.0), (0.6, 1.9, 2.4))


def test_a_stored_level_has_its_bounds_and_none_has_the_gaussians() -> None:
    assert [ONE.bounds(level) for level in LEVELS] == [
        (-0.5, 0.6, True), (-1.5, 1.9, True), (-2.0, 2.4, True),
    ]  # fmt: skip
    assert ONE.bounds(0.1 + 0.8) == (-1.5, 1.9, True), "a level as arithmetic leaves it"
    low, high, is_conformal = IntervalBin(0).bounds(0.95)
    assert (-low, high, is_conformal) == pytest.approx((1.959964, 1.959964, False), abs=1e-6)


def test_between_levels_the_bounds_of_a_wider_gaussian_are_exact() -> None:
    wide = tuple(1.3 * gaussian_quantile(level) for level in LEVELS)
    wider = IntervalBin(400, LEVELS, tuple(-half for half in wide), wide)
    for level in (0.01, 0.3, 0.66, 0.9, 0.95):
        assert wider.bounds(level)[1] == pytest.approx(1.3 * gaussian_quantile(level))


def test_beyond_the_highest_level_bounds_are_gaussian_and_say_so() -> None:
    low, _, is_conformal = ONE.bounds(0.99)
    assert not is_conformal
    assert -low == pytest.approx(2.0 / gaussian_quantile(0.95) * gaussian_quantile(0.99))
    narrow = IntervalBin(400, (0.9,), (-1.2,), (1.2,))
    assert narrow.bounds(0.99)[:2] == (-gaussian_quantile(0.99), gaussian_quantile(0.99))
    everybody = Intervals(400, {"all": (ONE,)})
    assert interval_of(everybody, 5.0, 1.0, 0.95, None).method == "conformal"
    assert interval_of(everybody, 5.0, 1.0, 0.99, None).method == "gaussian"
    assert interval_of(symmetric_intervals({}, {}), 5.0, 1.0, 0.95, None).method == "gaussian"


def test_each_estimate_has_the_bounds_of_its_bin_and_sex() -> None:
    low, high = (replace(ONE, persons=n, lower=(-n, -n, -n)) for n in (200, 300))
    bins = (replace(low, upto=10.0), high)
    intervals = Intervals(500, {"all": bins, "female": bins[1:], "male": bins[1:]})
    assert [interval_of(intervals, v, 1.0, 0.95, None).persons for v in (9.9, 10.1)] == [200, 300]
    assert interval_of(intervals, 9.9, 1.0, 0.95, "female").persons == 300
    means, sds = np.array([9.9, 10.1]), np.array([1.0, 2.0])
    lower, upper = interval_bounds(intervals, means, sds, 0.95, None)
    one_by_one = [interval_of(intervals, m, s, 0.95, None) for m, s in zip(means, sds)]
    assert lower.tolist() == [found.lower for found in one_by_one] == [9.9 - 200, 10.1 - 600]
    assert upper.tolist() == [found.upper for found in one_by_one]


def test_an_interval_contains_its_estimate() -> None:
    biased = Intervals(400, {"all": (IntervalBin(400, (0.5,), (0.2,), (0.9,)),)})
    found = interval_of(biased, 5.0, 1.0, 0.5, None)
    assert (found.lower, found.upper) == (5.0, 5.9)


def test_bounds_on_the_log_scale_stay_above_zero() -> None:
    skewed = Intervals(400, {"all": (ONE,)}, "log", floor=0.05)
    for value, sd in ((4.0, 1.0), (0.2, 1.0), (0.001, 1.0)):
        found = interval_of(skewed, value, sd, 0.95, None)
        assert found.lower is not None
        assert 0 < found.lower <= value < (found.upper or 0.0)
    # The SD of the logarithm of a lognormal variable with mean 4 and SD 1.
    spread = np.sqrt(np.log(1 + 1 / 16))
    found = interval_of(skewed, 4.0, 1.0, 0.95, None)
    assert found.upper == pytest.approx(4.0 * np.exp(2.4 * spread))
    at = np.array([4.0, 4.0]), np.array([1.0, 1.0])
    scores = np.array([-1.0, 2.0])
    assert skewed.scores(skewed.values(scores, *at), *at) == pytest.approx(scores)


def test_too_few_persons_give_no_interval() -> None:
    few = Intervals(20)
    assert interval_of(few, 5.0, 1.0, 0.95, "male") == Interval(None, None, "none", 20)
    assert np.isnan(interval_bounds(few, np.ones(2), np.ones(2), 0.95, None)).all()


@given(
    st.lists(st.floats(0.01, 6), min_size=1, max_size=5),
    st.lists(st.floats(0.02, 0.995), min_size=5, max_size=5, unique=True),
)
def test_a_wider_level_never_gives_a_narrower_interval(
    quantiles: list[float], levels: list[float]
) -> None:
    table = dict(zip(sorted(levels[: len(quantiles)]), sorted(quantiles)))
    (part,) = symmetric_intervals(table, {}).bins["all"]
    widths = [part.bounds(level)[1] for level in np.linspace(0.005, 0.999, 200)]
    assert (np.diff(widths) >= -1e-12).all()
    assert widths[0] > 0


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda: replace(ONE, levels=(0.9, 0.5, 0.95)), "the levels of intervals must increase"),
        (lambda: replace(ONE, levels=(0.5, 0.9, 1.0)), "the levels of intervals must increase"),
        (lambda: replace(ONE, upper=(0.6, 1.9)), "must not become narrower"),
        (lambda: replace(ONE, upper=(0.6, 1.9, 1.8)), "must not become narrower"),
        (lambda: replace(ONE, lower=(-0.5, -0.4, -2.0)), "must not become narrower"),
        (lambda: replace(ONE, lower=(-0.5, -1.5, float("-inf"))), "must not become narrower"),
        (lambda: Intervals(9, {"female": (ONE,)}), "need bins of all persons"),
        (lambda: Intervals(9, {"all": (ONE,), "other": (ONE,)}), "an unknown sex 'other'"),
        (lambda: Intervals(9, {"all": (ONE, ONE)}), "the bins of intervals must increase"),
        (lambda: Intervals(9, {"all": (replace(ONE, upto=1.0),)}), "the last one without an end"),
        (lambda: Intervals(9, scale="square"), "linear or log"),
        (lambda: Intervals(9, scale="log"), "floor of intervals must be above 0"),
    ],
)
def test_intervals_that_make_no_sense_are_refused(wrong: object, reason: str) -> None:
    assert callable(wrong)
    with pytest.raises(MimirError, match=reason):
        wrong()


@pytest.mark.parametrize(("persons", "level"), [(100, 0.95), (399, 0.95), (2000, 0.8), (50, 0.5)])
def test_the_range_of_the_coverage_is_that_of_scipys_beta(persons: int, level: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    outside = 2 * lower_rank(persons, level)
    expected = stats.beta.ppf([0.025, 0.975], persons + 1 - outside, outside)
    assert coverage_range(persons, level) == pytest.approx(expected, abs=1e-6)


def test_one_in_20_calibrations_on_20_persons_covers_less_than_86_percent() -> None:
    """A one-sided interval up to the largest of 20 scores, which earlier versions gave at 95 %."""
    assert beta_quantile(0.05, 20, 1) == pytest.approx(0.861, abs=1e-3)
    assert lower_rank(20, 0.95) == lower_rank(38, 0.95) == 0
    assert lower_rank(39, 0.95) == 1
