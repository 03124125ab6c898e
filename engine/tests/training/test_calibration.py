"""Calibrate predictions with known errors: mean correction, variance factor, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest
from nearly import nearly

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.inference_module import Target
from mimir_engine.inference_module.interval import EVERYBODY, NONE
from mimir_engine.measuring.measurement import interval
from mimir_engine.training.accuracy import cross_calibrate, folds_of, measure_accuracy
from mimir_engine.training.calibration import (
    apply_calibration,
    bounds_by_sex,
    fit_calibration,
    mean_correction,
    recorded_sexes,
    remove_calibration,
    select_studies,
)

SEX = Target("sex", "31", "", 1, 0.5, 0.5, kind="class")
LIVER = Target("liverVolume", "", "L", 1000, 1500, 300)
TARGETS = (SEX, LIVER)
#: Fields of a target that calibration sets.
CONSTANTS = (
    "variance_factor", "mean_slope", "mean_offset", "intervals", "label_range",
)  # fmt: skip


def predicted(
    count: int, seed: int = 1, spread: float = 3.0, men: float = 1.0, slope: float = 1.25
) -> Predictions:
    """Predict liver volumes too near the mean and with SDs too small by `spread`; sex correctly.

    The errors of men are `men` times as large; their SDs are not.
    """
    rng = np.random.default_rng(seed)
    sex = rng.integers(0, 2, count).astype(float)
    standardised, sd = rng.normal(size=count), rng.uniform(0.1, 0.3, count)
    wider = np.where(sex == 1, men, 1.0)
    error = wider * spread * sd * rng.standard_normal(count)
    label = slope * standardised + 0.2 + error
    columns = [sex, 1.5 + 0.3 * label], [0.1 + 0.8 * sex, 1.5 + 0.3 * standardised]
    return Predictions(
        names=("sex", "liverVolume"),
        units=("", "L"),
        studies=tuple(f"{seed}-{row}" for row in range(count)),
        reference=np.stack(columns[0], axis=1),
        mean=np.stack(columns[1], axis=1),
        sd=np.stack([np.full(count, 0.2), 0.3 * sd], axis=1),
        groups={"fold": tuple(str(row % 4) for row in range(count))},
    )


def covered(predictions: Predictions, rows: Sequence[bool] | np.ndarray = ()) -> float:
    assert predictions.lower is not None
    assert predictions.upper is not None
    label = predictions.reference[:, 1]
    inside = (predictions.lower[:, 1] <= label) & (label <= predictions.upper[:, 1])
    return float(inside[np.asarray(rows) if len(rows) else slice(None)].mean())


def test_slope_offset_and_variance_factor_are_recovered() -> None:
    sex, liver = fit_calibration(predicted(20_000), TARGETS)
    assert (liver.mean_slope, liver.mean_offset) == pytest.approx((1.25, 0.2), abs=0.02)
    assert liver.variance_factor == pytest.approx(9.0, rel=0.03)
    assert (sex.mean_slope, sex.mean_offset, sex.variance_factor) == pytest.approx((1, 0, 0.25))
    assert liver == replace(LIVER, **{name: getattr(liver, name) for name in CONSTANTS})


def test_a_class_has_no_interval() -> None:
    data = predicted(1_000)
    sex, liver = fit_calibration(data, TARGETS)
    assert (sex.intervals, sex.label_range) == (None, None)
    assert liver.intervals is not None
    assert set(liver.intervals.bins) == {"all", "female", "male"}
    applied = apply_calibration(data, (sex, liver))
    assert applied.lower is not None
    assert np.isnan(applied.lower[:, 0]).all()
    assert np.isfinite(applied.lower[:, 1]).all()


def test_slope_and_offset_are_those_of_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(4)
    mean, variance = rng.normal(size=200), rng.uniform(0.1, 4, 200)
    label = 0.8 * mean - 0.3 + np.sqrt(variance) * rng.standard_normal(200)
    line = linear.LinearRegression().fit(mean[:, None], label, sample_weight=1 / variance)
    assert mean_correction(label, mean, variance) == pytest.approx(
        (line.coef_[0], line.intercept_), abs=1e-9
    )


def test_correction_and_factor_together_are_the_most_likely() -> None:
    data = predicted(500)
    best = fit_calibration(data, TARGETS)[1]

    def likelihood(**changes: float) -> float:
        applied = apply_calibration(data, (SEX, replace(best, **changes)))
        error = data.reference[:, 1] - applied.mean[:, 1]
        variance = applied.sd[:, 1] ** 2
        return float(-(np.log(variance) + error**2 / variance).sum())

    for name in ("mean_slope", "mean_offset", "variance_factor"):
        for factor in (0.98, 1.02):
            assert likelihood() > likelihood(**{name: getattr(best, name) * factor})


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_reach_their_coverage_on_new_studies(level: float) -> None:
    calibrations = fit_calibration(predicted(4_000), TARGETS)
    fresh = predicted(8_000, seed=2)
    raw = apply_calibration(fresh, TARGETS, level)
    assert covered(raw) < level - 0.2
    applied = apply_calibration(fresh, calibrations, level)
    assert covered(applied) == pytest.approx(level, abs=0.02)
    assert applied.level == level


def test_intervals_reach_their_coverage_for_each_sex() -> None:
    calibrations = fit_calibration(predicted(4_000, men=2.0), TARGETS)
    fresh = predicted(8_000, seed=2, men=2.0)
    men = np.array(recorded_sexes(fresh)) == "male"
    applied = apply_calibration(fresh, calibrations)
    assert covered(applied, men) == pytest.approx(0.95, abs=0.02)
    assert covered(applied, ~men) == pytest.approx(0.95, abs=0.02)
    sex, liver = calibrations
    assert liver.intervals is not None
    bins = {EVERYBODY: liver.intervals.bins[EVERYBODY]}
    pooled = sex, replace(liver, intervals=replace(liver.intervals, bins=bins))
    assert covered(apply_calibration(fresh, pooled), men) < 0.925


def test_a_measurement_has_the_interval_that_was_calibrated() -> None:
    data = predicted(2_000, men=2.0)
    calibrations = fit_calibration(data, TARGETS)
    liver = calibrations[1]
    mean, sd = np.full((3, 1), 1.6), np.full((3, 1), 0.1)
    lower, upper = bounds_by_sex([liver], mean, sd, ("female", "male", ""), 0.9)
    alone = [interval(liver, 1.6, 0.1, 0.9, sex) for sex in ("female", "male", None)]
    assert lower[:, 0].tolist() == [found.lower for found in alone]
    assert upper[:, 0].tolist() == [found.upper for found in alone]
    assert upper[0, 0] < upper[2, 0] < upper[1, 0]


def test_all_scans_of_a_person_weigh_as_one() -> None:
    """One person with 500 scans that are wrong in their own way changed all intervals."""
    data, often = predicted(400), predicted(1, seed=3)
    repeated = {
        name: np.concatenate([getattr(data, name), getattr(often, name).repeat(500, axis=0) + more])
        for name, more in (("reference", 0.0), ("mean", 0.5), ("sd", 0.0))
    }
    persons = (*data.studies, *["the same"] * 500)
    both = replace(
        data, studies=tuple(map(str, range(900))), groups={"person": persons}, **repeated
    )
    (_, found), (_, expected) = fit_calibration(both, TARGETS), fit_calibration(data, TARGETS)
    assert found.intervals is not None
    assert found.intervals.persons == 401
    assert found.variance_factor == pytest.approx(expected.variance_factor, rel=0.05)
    assert (found.mean_slope, found.mean_offset) == pytest.approx(
        (expected.mean_slope, expected.mean_offset), abs=0.03
    )


def test_too_few_persons_get_no_interval() -> None:
    few = fit_calibration(predicted(60), TARGETS)
    assert few[1].intervals is not None
    assert (few[1].intervals.persons, few[1].intervals.bins) == (60, {})
    assert interval(few[1], 1.5, 0.1, 0.95).method == NONE
    applied = apply_calibration(predicted(60), few)
    assert np.isnan(applied.lower).all()


def test_the_range_of_the_labels_leaves_one_in_1000_at_either_end() -> None:
    data = predicted(4_000)
    low, high = fit_calibration(data, TARGETS)[1].label_range or (0.0, 0.0)
    labels = data.reference[:, 1]
    assert ((labels < low).sum(), (labels > high).sum()) == (4, 4)
    known = fit_calibration(predicted(400, seed=2), fit_calibration(data, TARGETS))[1]
    assert known.label_range == (low, high), "a calibration elsewhere does not change what it knows"
    assert fit_calibration(predicted(60), TARGETS)[1].label_range is None


def test_missing_labels_are_left_out() -> None:
    data = predicted(400)
    gap = predicted(50, seed=9)
    both = replace(
        data,
        studies=data.studies + gap.studies,
        reference=np.concatenate([data.reference, np.full_like(gap.reference, np.nan)]),
        mean=np.concatenate([data.mean, gap.mean]),
        sd=np.concatenate([data.sd, gap.sd]),
        groups={},
    )
    for found, expected in zip(fit_calibration(both, TARGETS), fit_calibration(data, TARGETS)):
        assert asdict(found) == nearly(asdict(expected))


def test_folds_that_measure_accuracy_hold_persons_together() -> None:
    """Each person's second scan is known by heart from the first, in any fold but the same."""
    data = predicted(300)
    persons = tuple(f"person{row // 2}" for row in range(300))
    for groups in ({}, {"fold": data.groups["fold"]}):
        folds = folds_of(replace(data, groups={**groups, "person": persons}))
        assert len(set(zip(persons, folds))) == 150
        assert len(set(folds)) == 5
    assert folds_of(data).tolist() == list(data.groups["fold"])


def test_few_studies_leave_the_mean_uncorrected_and_a_single_one_is_refused() -> None:
    few = fit_calibration(predicted(20), TARGETS)[1]
    assert (few.mean_slope, few.mean_offset) == (1.0, 0.0)
    assert few.variance_factor > 1
    with pytest.raises(MimirError, match=r"CALIBRATION_TOO_SMALL: .*1 usable labelled"):
        fit_calibration(predicted(1), TARGETS)


def test_a_target_that_the_network_could_not_learn_keeps_its_slope() -> None:
    rng = np.random.default_rng(5)
    label, mean = rng.normal(0.7, 1, 500), -0.05 * np.arange(500) / 500
    assert mean_correction(label - mean, mean, np.ones(500))[0] == 1.0
    constant = mean_correction(label, np.full(500, 0.1), np.ones(500))
    assert constant == pytest.approx((1.0, label.mean() - 0.1))


@pytest.mark.parametrize("value", [0.1, -0.7, 1 / 3, 1e6, 1e-9, 0.0])
@pytest.mark.parametrize("count", [30, 499, 500, 4_001])
def test_constant_predictions_or_labels_keep_slope_one_despite_rounding_errors(
    value: float, count: int
) -> None:
    """Every processor adds up in its own order: the errors drawn here stand for all of them."""
    rng = np.random.default_rng(count)
    other, variance = rng.normal(size=count), rng.uniform(0.1, 4, count)
    constant = value * (1 + 2e-16 * rng.integers(-2, 3, count))
    weights = 1 / variance
    average = (weights @ other) / weights.sum()
    assert mean_correction(other, constant, variance) == pytest.approx((1.0, average - value))
    assert mean_correction(constant, other, variance) == pytest.approx((1.0, value - average))


def test_predictions_without_errors_cannot_be_used_for_calibration() -> None:
    """Errors of rounding alone would make intervals of no width."""
    data = predicted(200)
    exact = replace(data, mean=data.reference * (1 + 2e-16))
    with pytest.raises(MimirError, match="CALIBRATION_TOO_SMALL"):
        fit_calibration(exact, TARGETS)


def test_predictions_of_other_targets_are_refused() -> None:
    data = predicted(100)
    for wrong in (replace(data, units=("", "mL")), replace(data, names=("sex", "spleenVolume"))):
        with pytest.raises(MimirError, match="CALIBRATION_MISMATCH"):
            fit_calibration(wrong, TARGETS)
    with pytest.raises(
        MimirError, match=r"CALIBRATION_MISMATCH.*liverVolume in L instead of no more targets"
    ):
        fit_calibration(data, TARGETS[:1])


def test_no_study_is_evaluated_with_a_calibration_fitted_on_it() -> None:
    data = predicted(400)
    fold = np.array(data.groups["fold"]) == "2"
    judged = cross_calibrate(data, TARGETS)
    alone = fit_calibration(select_studies(data, ~fold), TARGETS)
    applied = apply_calibration(select_studies(data, fold), alone)
    # But for rounding: the same sums of arrays that lie otherwise in memory.
    np.testing.assert_allclose(judged.mean[fold], applied.mean, rtol=1e-9)
    assert judged.lower is not None
    assert applied.lower is not None
    np.testing.assert_allclose(judged.lower[fold], applied.lower, rtol=1e-9, equal_nan=True)
    assert covered(judged) == pytest.approx(0.95, abs=0.03)


def test_a_calibration_can_be_removed() -> None:
    data = predicted(300)
    calibrations = fit_calibration(data, TARGETS)
    applied = apply_calibration(data, calibrations)
    raw = remove_calibration(applied, calibrations)
    assert raw.mean == pytest.approx(data.mean)
    assert raw.sd == pytest.approx(data.sd)
    assert raw.lower is None


def test_the_recorded_sex_comes_from_the_group_or_else_from_the_labels() -> None:
    data = predicted(3)
    labels = np.array([[0, 1.0], [1, 1.0], [np.nan, 1.0]])
    assert recorded_sexes(replace(data, reference=labels)) == ("female", "male", "")
    named = replace(data, groups={"sex": ("Male", "0", "unknown")})
    assert recorded_sexes(named) == ("male", "female", "")


def test_accuracy_has_the_coverage_of_small_and_of_large_values() -> None:
    figures = measure_accuracy(predicted(2_000), TARGETS)
    liver = figures["liverVolume"]
    for part in ("bottom_5_percent", "low_third", "middle_third", "high_third", "top_5_percent"):
        assert liver[f"coverage95_{part}_by_estimate"] == pytest.approx(0.95, abs=0.06)
        assert 0.5 < liver[f"coverage95_{part}_by_reference"] <= 1
    assert not [name for name in figures["sex"] if "coverage" in name or "width" in name]
    few = measure_accuracy(predicted(60), TARGETS)["liverVolume"]
    assert "mae" in few
    assert not [name for name in few if "coverage" in name or "width" in name]
