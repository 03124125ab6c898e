"""Compare metrics with independent implementations of the same definitions."""

from __future__ import annotations

import math
from typing import Callable

import numpy as np
import pytest

from mimir_engine.evaluation.age_gap import age_gaps, gap_scores
from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.bootstrap import percentile_intervals, resample_counts
from mimir_engine.evaluation.sparsification import (
    REMOVED,
    ause,
    ranked_scores,
    sparsification_curve,
)
from mimir_engine.evaluation.uncertainty import (
    HALF_WIDTHS,
    LEVELS,
    auce,
    coverage_curve,
    crps,
    gaussian_scores,
    interval_scores,
    negative_log_likelihood,
)

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
CLOSE = {"rtol": 1e-6, "atol": 1e-9}


@pytest.fixture(params=[(200, 0.0), (57, 0.8), (501, -3.0)])
def made(request: pytest.FixtureRequest) -> Arrays:
    """Reference, mean and SD of studies, with and without bias."""
    count, bias = request.param
    rng = np.random.default_rng(count)
    reference = rng.normal(12.0, 3.0, count)
    sd = np.exp(rng.normal(-0.3, 0.5, count))
    return reference, reference + bias + 1.2 * sd * rng.normal(size=count), sd


# --- agreement ---


def test_icc_is_pingouins_icc_of_absolute_agreement(made: Arrays) -> None:
    pingouin = pytest.importorskip("pingouin")
    pandas = pytest.importorskip("pandas")
    reference, mean, _ = made
    count = len(reference)
    long = pandas.DataFrame(
        {
            "study": np.tile(np.arange(count), 2),
            "rater": np.repeat(["reference", "network"], count),
            "value": np.concatenate((reference, mean)),
        }
    )
    table = pingouin.intraclass_corr(long, targets="study", raters="rater", ratings="value")
    expected = table[table["Type"].isin(("ICC2", "ICC(A,1)"))]["ICC"].item()
    np.testing.assert_allclose(agreement(reference, mean)["icc"], expected, **CLOSE)


def test_a_bias_lowers_the_icc_and_not_the_correlation() -> None:
    reference = np.array([1.0, 2.0, 3.0, 4.0])
    assert agreement(reference, reference)["icc"] == pytest.approx(1.0)
    # By hand: 2 cov / (2 var + bias² - 0) = 2 (5/3) / (2 (5/3) + 4).
    assert agreement(reference, reference + 2)["icc"] == pytest.approx(10 / 3 / (10 / 3 + 4))


def test_errors_are_those_of_scikit_learn(made: Arrays) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    reference, mean, _ = made
    found = agreement(reference, mean)
    np.testing.assert_allclose(found["r2"], metrics.r2_score(reference, mean), **CLOSE)
    np.testing.assert_allclose(found["mae"], metrics.mean_absolute_error(reference, mean), **CLOSE)
    rmse = math.sqrt(metrics.mean_squared_error(reference, mean))
    np.testing.assert_allclose(found["rmse"], rmse, **CLOSE)
    mape = 100 * metrics.mean_absolute_percentage_error(reference, mean)
    np.testing.assert_allclose(found["mape"], mape, **CLOSE)


def test_relative_error_leaves_out_references_of_about_zero() -> None:
    reference, mean = np.array([0.0, 0.00009, -2.0, 4.0]), np.array([9.0, 9.0, -1.0, 5.0])
    assert agreement(reference, mean)["mape"] == pytest.approx((50 + 25) / 2)
    assert np.isnan(agreement(np.zeros(3), np.ones(3))["mape"])


def test_limits_of_agreement_are_bias_and_1_96_sd(made: Arrays) -> None:
    reference, mean, _ = made
    difference = mean - reference
    found = agreement(reference, mean)
    assert found["bias"] == pytest.approx(difference.mean())
    half = 1.959964 * difference.std(ddof=1)
    assert found["loa_lower"] == pytest.approx(difference.mean() - half, rel=1e-6)
    assert found["loa_upper"] == pytest.approx(difference.mean() + half, rel=1e-6)


def test_without_spread_nothing_is_explained() -> None:
    found = agreement(np.full(9, 0.1), np.linspace(0, 1, 9))
    assert np.isnan(found["r2"])
    assert np.isnan(found["icc"])
    assert np.isfinite(found["mae"])


@pytest.mark.parametrize("value", [0.1, -1 / 3, 1e7, 0.0])
def test_rounding_errors_do_not_count_as_spread(value: float) -> None:
    """Every processor adds up in its own order: the errors drawn here stand for all of them."""
    rng = np.random.default_rng(1)
    constant = value * (1 + 2e-16 * rng.integers(-2, 3, 200))
    mean, sd = rng.normal(size=200), np.ones(200)
    counts = resample_counts([str(i) for i in range(200)], 50, seed=1).astype(float)
    for weights in (None, counts):
        found = agreement(constant, mean, weights)
        found.update(interval_scores(constant, mean - sd, mean + sd, weights))
        for name in ("r2", "icc", "relative_width"):
            assert np.isnan(found[name]).all(), name


# --- coverage and scores ---


def test_crps_is_that_of_scoringrules(made: Arrays) -> None:
    scoringrules = pytest.importorskip("scoringrules")
    np.testing.assert_allclose(crps(*made), scoringrules.crps_normal(*made), **CLOSE)


def test_likelihood_and_quantiles_are_those_of_scipy(made: Arrays) -> None:
    norm = pytest.importorskip("scipy.stats").norm
    np.testing.assert_allclose(negative_log_likelihood(*made), -norm.logpdf(*made), **CLOSE)
    np.testing.assert_allclose(HALF_WIDTHS, norm.ppf((1 + LEVELS) / 2), **CLOSE)


def test_coverage_and_width_are_those_of_mapie(made: Arrays) -> None:
    mapie = pytest.importorskip("mapie.metrics.regression")
    reference, mean, sd = made
    lower, upper = mean - 1.5 * sd, mean + 1.7 * sd
    found = interval_scores(reference, lower, upper)
    intervals = np.stack((lower, upper), axis=1)[:, :, None]
    expected = mapie.regression_coverage_score(reference, intervals)
    np.testing.assert_allclose(found["picp"], np.ravel(expected)[0], **CLOSE)
    expected = mapie.regression_mean_width_score(intervals)
    np.testing.assert_allclose(found["width"], np.ravel(expected)[0], **CLOSE)
    assert found["relative_width"] == pytest.approx(found["width"] / reference.std(ddof=1))


def test_coverage_and_width_of_conformal_intervals_are_those_of_crepes(made: Arrays) -> None:
    crepes = pytest.importorskip("crepes")
    reference, mean, sd = made
    half = len(sd) // 2
    regressor = crepes.ConformalRegressor().fit((reference - mean)[:half], sigmas=sd[:half])
    options = {"y": reference[half:], "sigmas": sd[half:], "confidence": 0.9}
    expected = regressor.evaluate(mean[half:], metrics=["error", "eff_mean"], **options)
    bounds = regressor.predict_int(mean[half:], sigmas=sd[half:], confidence=0.9)
    found = interval_scores(reference[half:], bounds[:, 0], bounds[:, 1])
    np.testing.assert_allclose(found["picp"], 1 - expected["error"], **CLOSE)
    np.testing.assert_allclose(found["width"], expected["eff_mean"], **CLOSE)


def test_the_curve_of_scores_is_the_curve_of_intervals(made: Arrays) -> None:
    reference, mean, sd = made
    half = sd[:, None] * HALF_WIDTHS[1:-1]
    lower, upper = mean[:, None] - half, mean[:, None] + half
    inside = (lower <= reference[:, None]) & (reference[:, None] <= upper)
    score = np.abs(reference - mean) / sd
    np.testing.assert_allclose(coverage_curve(score)[1:-1], inside.mean(axis=0))


def test_auce_is_the_area_between_curve_and_diagonal() -> None:
    assert auce(LEVELS) == 0
    assert auce(np.ones(101)) == pytest.approx(0.5)
    assert auce(np.array([0.0, 1.0, 1.0]), [0.0, 0.5, 1.0]) == pytest.approx(0.25)


def test_true_sds_are_calibrated_and_halved_ones_are_not() -> None:
    rng = np.random.default_rng(4)
    sd = np.exp(rng.normal(size=40_000))
    reference = rng.normal(size=40_000)
    mean = reference + sd * rng.normal(size=40_000)
    assert gaussian_scores(reference, mean, sd)["auce"] < 0.01
    assert ence(np.abs(mean - reference), sd) < 0.03
    # P(|z| < q) with SDs half as large as they should be, integrated: about 0.205.
    assert gaussian_scores(reference, mean, sd / 2)["auce"] == pytest.approx(0.205, abs=0.01)
    assert ence(np.abs(mean - reference), sd / 2) == pytest.approx(1.0, abs=0.05)


# --- sparsification ---


def ence(error: np.ndarray, sd: np.ndarray) -> float:
    return float(ranked_scores(np.zeros_like(error), error, sd)["ence"])


def slow_curve(error: np.ndarray, key: np.ndarray) -> list[float]:
    """The definition, removing one study after the other; keys differ, 100 studies."""
    order = np.argsort(key)
    return [error[order[: 100 - gone]].mean() for gone in range(100)]


def test_the_curve_is_the_error_without_the_most_uncertain() -> None:
    rng = np.random.default_rng(2)
    error, sd = rng.exponential(size=(2, 100))
    np.testing.assert_allclose(sparsification_curve(error, sd), slow_curve(error, sd))
    by_error = sparsification_curve(error, error)
    np.testing.assert_allclose(by_error, slow_curve(error, error))
    assert ause(by_error, by_error) == 0


def test_equal_sds_leave_the_error_unchanged() -> None:
    error = np.random.default_rng(5).exponential(size=83)
    curve = sparsification_curve(error, np.ones(83))
    np.testing.assert_allclose(curve, np.full(len(REMOVED), error.mean()))


def test_the_order_of_the_table_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    reference, mean = rng.normal(size=(2, 90))
    sd = rng.integers(1, 5, 90).astype(float)
    shuffled = rng.permutation(90)
    found = ranked_scores(reference, mean, sd)
    other = ranked_scores(reference[shuffled], mean[shuffled], sd[shuffled])
    assert found["ause"] == pytest.approx(other["ause"])
    assert found["ence"] == pytest.approx(other["ence"])


def test_keys_that_differ_by_rounding_count_as_equal() -> None:
    rng = np.random.default_rng(6)
    error, sd = rng.exponential(size=90), rng.integers(1, 5, 90) / 10
    rounded = sd * (1 + 2e-16 * rng.integers(-2, 3, 90))
    np.testing.assert_allclose(
        sparsification_curve(error, rounded), sparsification_curve(error, sd)
    )
    assert ence(error, rounded) == pytest.approx(ence(error, sd))


def test_rounding_errors_of_perfect_predictions_are_not_ranked() -> None:
    rng = np.random.default_rng(6)
    reference, sd = rng.normal(5, 1, 90), rng.exponential(size=90)
    scores = ranked_scores(reference, reference * (1 + 2e-16 * rng.integers(-2, 3, 90)), sd)
    assert np.isnan(scores["ause"])
    assert scores["ence"] == pytest.approx(1.0)


@pytest.mark.parametrize("count", range(10, 40))
def test_as_many_studies_as_bins_are_enough_whatever_their_shares_round_to(count: int) -> None:
    error, sd = np.random.default_rng(count).exponential(size=(2, count))
    assert np.isfinite(ence(error, sd))


def test_ence_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(7)
    error, sd = rng.exponential(size=(2, 200))
    order = np.argsort(sd)
    bins = order.reshape(10, 20)
    rmv = np.sqrt((sd[bins] ** 2).mean(axis=1))
    rmse = np.sqrt((error[bins] ** 2).mean(axis=1))
    assert ence(error, sd) == pytest.approx(np.mean(np.abs(rmv - rmse) / rmv))
    assert np.isnan(ence(error[:9], sd[:9]))


# --- bootstrap ---

METRICS: list[Callable[..., dict[str, np.ndarray]]] = [
    lambda r, m, s, w=None: agreement(r, m, w),
    lambda r, m, s, w=None: interval_scores(r, m - s, m + s, w),
    gaussian_scores,
    ranked_scores,
    lambda r, m, s, w=None: gap_scores(r, m - r, w),
]


@pytest.mark.parametrize("metrics", METRICS)
@pytest.mark.parametrize("tied", [False, True])
def test_counting_studies_is_the_same_as_repeating_them(
    made: Arrays, metrics: Callable[..., dict[str, np.ndarray]], tied: bool
) -> None:
    reference, mean, sd = made
    sd = np.ceil(sd * 3) if tied else sd
    counts = resample_counts([str(i) for i in range(len(sd))], 7, seed=3)
    found = metrics(reference, mean, sd, counts.astype(np.float64))
    for i, row in enumerate(counts):
        drawn = np.repeat(np.arange(len(sd)), row)
        expected = metrics(reference[drawn], mean[drawn], sd[drawn])
        for name, values in expected.items():
            np.testing.assert_allclose(found[name][i], values, rtol=1e-8, atol=1e-10, err_msg=name)


def test_studies_of_a_person_are_drawn_together() -> None:
    persons = ["b", "a", "b", "c", "a", "b"]
    counts = resample_counts(persons, 200, seed=1)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 1] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(counts, axis=0)) > 5
    np.testing.assert_array_equal(counts, resample_counts(persons, 200, seed=1))


def test_intervals_are_the_percentiles_of_numpy() -> None:
    samples = np.random.default_rng(8).normal(size=(101, 3, 4))
    low, high = percentile_intervals(samples, 0.9)
    np.testing.assert_allclose([low, high], np.percentile(samples, [5, 95], axis=0))
    samples[::3, 1, 2] = np.nan
    samples[:, 0, 0] = np.nan
    low, high = percentile_intervals(samples, 0.9)
    assert low[1, 2] == pytest.approx(np.nanpercentile(samples[:, 1, 2], 5))
    assert np.isnan(high[0, 0])


def test_intervals_of_an_average_are_about_those_of_scipy(made: Arrays) -> None:
    stats = pytest.importorskip("scipy.stats")
    reference, mean, _ = made
    error = np.abs(mean - reference)
    expected = stats.bootstrap(
        (error,), np.mean, n_resamples=4000, method="percentile", random_state=0
    ).confidence_interval
    counts = resample_counts([str(i) for i in range(len(error))], 4000, seed=0)
    low, high = percentile_intervals(agreement(reference, mean, counts.astype(float))["mae"], 0.95)
    # Two simulations of one interval, so not to 1e-6.
    assert low == pytest.approx(expected.low, abs=0.1 * (expected.high - expected.low))
    assert high == pytest.approx(expected.high, abs=0.1 * (expected.high - expected.low))


# --- age ---


def drawn_to_the_mean(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(9)
    age = rng.uniform(45, 80, count)
    return age, 62 + 0.6 * (age - 62) + rng.normal(0, 2, count)


def test_the_corrected_gap_is_free_of_age() -> None:
    age, estimate = drawn_to_the_mean()
    raw, corrected = age_gaps(age, estimate)
    before, after = gap_scores(age, raw), gap_scores(age, corrected)
    np.testing.assert_allclose(before["age_correlation"], np.corrcoef(age, raw)[0, 1])
    assert before["mae"] == pytest.approx(np.abs(estimate - age).mean())
    assert before["age_correlation"] < -0.8
    assert abs(after["age_correlation"]) < 0.05
    assert set(after) == {"mae", "age_correlation"}


def test_each_fold_is_corrected_by_the_others() -> None:
    age, estimate = drawn_to_the_mean()
    folds = np.repeat(["1", "2", "3", "4"], 100)
    _, corrected = age_gaps(age, estimate, folds.tolist())
    others = folds != "2"
    line = np.polyfit(age[others], (estimate - age)[others], 1)
    expected = (estimate - age - np.polyval(line, age))[folds == "2"]
    np.testing.assert_allclose(corrected[folds == "2"], expected)


def test_a_missing_age_leaves_the_other_corrections_unchanged() -> None:
    age, estimate = drawn_to_the_mean(50)
    age[3], estimate[7] = np.nan, np.nan
    raw, corrected = age_gaps(age, estimate)
    assert np.flatnonzero(np.isnan(raw)).tolist() == [3, 7]
    assert np.flatnonzero(np.isnan(corrected)).tolist() == [3, 7]


def test_rounding_errors_give_neither_a_line_nor_a_correlation_with_age() -> None:
    age, _ = drawn_to_the_mean(50)
    for estimate in (age + 3, age - 1 / 3, age * (1 + 2e-16)):
        assert np.isnan(gap_scores(age, estimate - age)["age_correlation"])
    raw, corrected = age_gaps(np.full(50, 61.3) * (1 + 2e-16 * (np.arange(50) % 2)), age)
    assert np.isfinite(raw).all()
    assert np.isnan(corrected).all()
