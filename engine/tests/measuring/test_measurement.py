from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_modules import TARGETS, module_spec, write_without_network

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import load_module
from mimir_engine.inference_module.coverage import coverage_range
from mimir_engine.inference_module.format import ModuleFile
from mimir_engine.inference_module.interval import IntervalBin, Intervals
from mimir_engine.inference_module.statistics import describe_predictions, write_statistics
from mimir_engine.inference_module.target import Target
from mimir_engine.inference_module.z_reference import ZReference
from mimir_engine.measuring.chosen_sex import ChosenSex
from mimir_engine.measuring.measurement import Measurement, measure

MALE = ChosenSex("male", "recorded")
MEAN = [1.45, 178.2, 0.97]
VARIANCE = [0.04, 9.0, 0.0001]


def measured(**changes: Any) -> list[Measurement]:
    return measure(module_spec(**changes), MEAN, VARIANCE)


def test_a_measurement_has_value_sd_and_a_gaussian_interval_in_its_unit() -> None:
    liver, height, _ = measured()
    assert (liver.name, liver.unit, liver.value, liver.sd) == ("liverVolume", "L", 1.45, 0.2)
    assert (height.lower, height.upper) == pytest.approx((178.2 - 5.88, 178.2 + 5.88), abs=1e-3)
    assert height.level == 0.95


def test_the_interval_widens_with_its_level() -> None:
    module = module_spec()
    widths = []
    for level in (0.5, 0.6827, 0.9, 0.99):
        liver = measure(module, MEAN, VARIANCE, level)[0]
        widths.append((liver.upper - liver.lower) / 2 / liver.sd)
    assert widths == pytest.approx([0.674, 1.0, 1.645, 2.576], abs=1e-3)


def test_conformal_quantiles_make_the_interval() -> None:
    target = Target("a", "", "L", 1, 5, 1, conformal_quantiles={0.9: 2.0, 0.95: 2.5})
    module = module_spec(targets=(target,))
    (at_95,) = measure(module, [5.0], [1.0], 0.95)
    assert (at_95.lower, at_95.upper) == (2.5, 7.5)
    (at_93,) = measure(module, [5.0], [1.0], 0.93)
    assert 7.0 < at_93.upper < 7.5


@pytest.mark.parametrize(
    ("score", "half_width"), [(0.02, 2.0), (0.95, 3.0), (0.5, 2.5)], ids=["female", "male", "?"]
)
def test_the_interval_is_that_of_the_sex_if_it_is_certain(score: float, half_width: float) -> None:
    by_sex = {"female": {0.95: 2.0}, "male": {0.95: 3.0}}
    liver = replace(TARGETS[0], conformal_quantiles={0.95: 2.5}, conformal_quantiles_by_sex=by_sex)
    module = module_spec(targets=(liver, *TARGETS[1:]))
    measured = measure(module, [1.45, 178.2, score], VARIANCE)[0]
    assert (measured.upper - measured.value) / measured.sd == pytest.approx(half_width)
    as_male = measure(module, [1.45, 178.2, score], VARIANCE, sex=MALE)[0]
    assert (as_male.upper - as_male.value) / as_male.sd == pytest.approx(3.0)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -0.5, float("nan")])
def test_a_level_out_of_range_is_refused(level: float) -> None:
    with pytest.raises(MimirError, match="LEVEL_INVALID"):
        measure(module_spec(), MEAN, VARIANCE, level)


def test_a_bound_below_zero_is_shown_as_zero_and_kept_raw() -> None:
    liver, _, sex = measure(module_spec(), [0.1, 170.0, 0.0], [0.04, 9.0, 0.01])
    assert liver.lower == pytest.approx(0.1 - 1.96 * 0.2, abs=1e-3)
    assert liver.lower_shown == 0.0
    assert liver.upper_shown == liver.upper
    assert (sex.lower, sex.upper, sex.interval_method) == (None, None, "none")
    assert liver.flags == ("OUTSIDE_TRAINING_RANGE",)


def test_a_value_below_zero_is_flagged_if_the_quantity_cannot_be() -> None:
    target = Target("fatFraction", "", "%", 1, 4, 3, non_negative=True)
    (fat,) = measure(module_spec(targets=(target,)), [-5.0], [1.0])
    assert (fat.value, fat.lower_shown, fat.upper_shown) == (-5.0, 0.0, 0.0)
    assert fat.flags == ("BELOW_ZERO",)


def test_a_z_score_names_its_reference() -> None:
    liver, height, sex = measured()
    assert liver.z_score == pytest.approx(0.0)
    assert height.z_score == pytest.approx(1.0)
    assert height.z_reference == "mean and SD of the training data of trial 1.0, both sexes"
    assert sex.z_score is None


@pytest.mark.parametrize(
    ("score", "label"),
    [
        (-0.31, "uncertain"), (0.0, "female"), (0.19, "female"), (0.2, "uncertain"),
        (0.8, "uncertain"), (1.03, "male"), (1.31, "uncertain"), (268.0, "uncertain"),
    ],
)  # fmt: skip
def test_sex_is_a_class_with_a_score(score: float, label: str) -> None:
    measurements = measure(module_spec(), [1.45, 170.0, score], VARIANCE)
    assert [m.sex_label for m in measurements] == ["", "", label]
    assert measurements[2].value == score
    assert {m.sex for m in measurements} == {None if label == "uncertain" else label}


def test_a_result_says_where_its_sex_comes_from() -> None:
    assert {(m.sex, m.sex_source) for m in measured()} == {("male", "estimated")}
    recorded = measure(module_spec(), MEAN, VARIANCE, sex=ChosenSex("female", "recorded"))
    assert {(m.sex, m.sex_source) for m in recorded} == {("female", "recorded")}
    uncertain = measure(module_spec(), [1.45, 178.2, 0.5], VARIANCE)
    assert {(m.sex, m.sex_source) for m in uncertain} == {(None, "")}


def test_another_class_than_sex_has_no_label() -> None:
    target = Target("diabetes", "2976", "", 1, 0.05, 0.2, kind="class")
    (diabetes,) = measure(module_spec(targets=(target,)), [0.9], [0.01])
    assert diabetes.sex_label == ""


def test_flags_of_the_study_the_module_and_the_value_come_together() -> None:
    module = module_spec(demonstration=True)
    liver, height, _ = measure(
        module, [9.9, 170.0, 0.0], VARIANCE, flags=["OUTSIDE_VALIDATION", "DEMONSTRATION"]
    )
    assert height.flags == ("OUTSIDE_VALIDATION", "DEMONSTRATION")
    assert liver.flags == ("OUTSIDE_VALIDATION", "DEMONSTRATION", "OUTSIDE_TRAINING_RANGE")


def test_a_measurement_survives_json_to_the_last_digit() -> None:
    measured = measure(module_spec(), [1 / 3, 178.2, 0.1 + 0.2], VARIANCE, flags=["A"])
    text = json.dumps([asdict(measurement) for measurement in measured])
    assert [Measurement.from_json(fields) for fields in json.loads(text)] == measured


def calibrated(**changes: Any) -> Target:
    """A liver with conformal intervals up to 95 %."""
    part = IntervalBin(300, (0.5, 0.95), (-0.7, -1.8), (0.8, 2.6))
    return replace(TARGETS[0], intervals=Intervals(300, {"all": (part,)}), **changes)


def test_an_interval_says_how_it_was_made_and_how_well_its_coverage_is_known() -> None:
    (liver,) = measure(module_spec(targets=(calibrated(),)), [1.45], [0.04])
    assert (liver.lower, liver.upper) == pytest.approx((1.45 - 0.36, 1.45 + 0.52))
    assert (liver.interval_method, liver.interval_persons) == ("conformal", 300)
    assert (liver.coverage_low, liver.coverage_high) == coverage_range(300, 0.95)
    assert liver.flags == ()
    plain = measured()[0]
    assert (plain.interval_method, plain.interval_persons, plain.coverage_low) == (
        "gaussian", 0, None,
    )  # fmt: skip


def test_a_level_beyond_the_calibrated_ones_is_gaussian_and_flagged() -> None:
    module = module_spec(targets=(calibrated(),))
    (at_95,), (at_99,) = (measure(module, [1.45], [0.04], level) for level in (0.95, 0.99))
    assert (at_99.interval_method, at_99.coverage_low) == ("gaussian", None)
    assert at_99.flags == ("INTERVAL_EXTRAPOLATED",)
    assert at_95.at_level(module.targets[0], 0.99) == at_99
    assert at_99.at_level(module.targets[0], 0.95) == at_95


def test_a_target_calibrated_on_too_few_persons_has_no_interval_and_says_so() -> None:
    few = replace(TARGETS[0], intervals=Intervals(20))
    (liver,) = measure(module_spec(targets=(few,)), [1.45], [0.04])
    assert (liver.lower, liver.upper, liver.interval_text) == (None, None, "")
    assert (liver.interval_method, liver.interval_persons) == ("none", 20)
    assert liver.flags == ("NO_INTERVAL",)
    assert liver.lower_shown == liver.upper_shown == liver.value


def test_a_value_beyond_nearly_all_labels_is_flagged_also_where_they_are_skewed() -> None:
    """Liver fat of 22 % with a mean of 5 and an SD of 5 lies within 4 SD of the mean."""
    fat = Target("liverFat", "", "%", 1, 5, 5, label_range=(0.8, 20.0))
    for value, is_flagged in ((0.7, True), (0.9, False), (19.0, False), (22.0, True)):
        for divisor in (1, 1000):
            target = replace(fat, divisor=divisor, mean=5 * divisor, sd=5 * divisor)
            (found,) = measure(module_spec(targets=(target,)), [value], [1.0])
            assert ("OUTSIDE_TRAINING_RANGE" in found.flags) == is_flagged


def test_another_level_gives_what_measuring_at_that_level_gives() -> None:
    by_sex = {"male": {0.5: 1.0, 0.95: 3.0}}
    liver = replace(TARGETS[0], conformal_quantiles={0.95: 2.5}, conformal_quantiles_by_sex=by_sex)
    module = module_spec(targets=(liver, *TARGETS[1:]))
    for sex in (MALE, ChosenSex()):
        first, other = (measure(module, MEAN, VARIANCE, level, sex=sex) for level in (0.95, 0.7))
        pairs = zip(first, module.targets)
        assert [m.at_level(target, 0.7) for m, target in pairs] == other


def test_the_column_prefix_leads_the_name() -> None:
    assert [m.name for m in measured(column_prefix="a_")] == ["a_liverVolume", "a_height", "a_sex"]


def module_with_statistics(folder: Path, z_references: Any = ()) -> Any:
    names = [target.name for target in TARGETS]
    sexes = ["female"] * 101 + ["male"] * 101
    means = np.concatenate([np.linspace(150, 170, 101), np.linspace(165, 190, 101)])
    statistics = describe_predictions(
        names, np.stack([means / 100, means, means], axis=1), sexes, "202 made-up people"
    )
    digest = ModuleFile("statistics.json", "0" * 64)
    write_without_network(folder, statistics_file=digest)
    statistics = replace(statistics, z_references=dict(z_references))
    write_statistics(folder / "statistics.json", statistics)
    return load_module(folder)


def test_a_percentile_is_among_the_same_sex(tmp_path: Path) -> None:
    module = module_with_statistics(tmp_path / "trial")
    liver, height, sex = measure(module, MEAN, VARIANCE)
    assert height.percentile == pytest.approx(100 * (178.2 - 165) / 25, abs=1)
    assert height.percentile_reference == "predictions for male members of 202 made-up people"
    assert liver.percentile == pytest.approx(0.5)
    assert (sex.percentile, sex.percentile_reference) == (None, "")
    as_woman = measure(module, MEAN, VARIANCE, sex=ChosenSex("female", "recorded"))[1]
    assert as_woman.percentile == pytest.approx(99.5)


def test_a_z_score_is_that_of_the_sex_and_of_the_same_height_and_age(tmp_path: Path) -> None:
    same_height = ZReference(101, -0.53, 0.1, height=0.01)
    same_age = ZReference(101, 1.0, 0.1, age=0.01, height=0.0)
    lines = {"male": {"liverVolume": (same_age, same_height, ZReference(101, 1.2, 0.3))}}
    module = module_with_statistics(tmp_path / "trial", lines)
    liver = measure(module, MEAN, VARIANCE)[0]
    assert liver.z_score == pytest.approx((1.45 - 1.252) / 0.1)
    assert liver.z_reference == (
        "predictions for male members of 202 made-up people of the same height"
    )
    aged = measure(module, MEAN, VARIANCE, age=60.0)[0]
    assert aged.z_score == pytest.approx((1.45 - 1.6) / 0.1)
    assert aged.z_reference.endswith("of the same age and height")
    woman = measure(module, MEAN, VARIANCE, sex=ChosenSex("female", "recorded"))[0]
    assert woman.z_score == pytest.approx(0.0)
    assert woman.z_reference == "mean and SD of the training data of trial 1.0, both sexes"
    height = measure(module, MEAN, VARIANCE)[1]
    assert height.z_score == pytest.approx(1.0), "no reference of its own"


def test_there_is_no_percentile_without_quantiles_or_with_an_uncertain_sex(
    tmp_path: Path,
) -> None:
    assert [m.percentile for m in measured()] == [None, None, None]
    module = module_with_statistics(tmp_path / "trial")
    uncertain = measure(module, [1.45, 178.2, 0.5], VARIANCE)
    assert [m.percentile for m in uncertain] == [None, None, None]


def test_an_interval_is_shown_without_negative_values_and_a_class_has_none() -> None:
    liver, height, sex = measure(module_spec(), [0.1, 170.0, 0.97], [0.04, 9.0, 0.0001])
    assert liver.interval_text == "0.0 to 0.5"
    assert height.interval_text == "164 to 176"
    assert sex.interval_text == ""
