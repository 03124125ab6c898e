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
from mimir_engine.inference_module.format import ModuleFile
from mimir_engine.inference_module.statistics import describe_predictions, write_statistics
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.measurement import Measurement, measure

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
    as_male = measure(module, [1.45, 178.2, score], VARIANCE, sex="male")[0]
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
    assert sex.lower_shown == sex.lower < 0, "a score may be below zero"
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
    assert height.z_reference == "mean and SD of the training data of trial 1.0"
    assert sex.z_score is None


@pytest.mark.parametrize(
    ("score", "label"),
    [(0.0, "female"), (0.19, "female"), (0.2, "uncertain"), (0.8, "uncertain"), (1.03, "male")],
)
def test_sex_is_a_class_with_a_score(score: float, label: str) -> None:
    measurements = measure(module_spec(), [1.45, 170.0, score], VARIANCE)
    assert [m.sex_label for m in measurements] == ["", "", label]
    assert measurements[2].value == score
    assert {m.sex for m in measurements} == {None if label == "uncertain" else label}


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


def test_another_level_gives_what_measuring_at_that_level_gives() -> None:
    by_sex = {"male": {0.5: 1.0, 0.95: 3.0}}
    liver = replace(TARGETS[0], conformal_quantiles={0.95: 2.5}, conformal_quantiles_by_sex=by_sex)
    module = module_spec(targets=(liver, *TARGETS[1:]))
    for sex in ("male", None):
        first, other = (measure(module, MEAN, VARIANCE, level, sex=sex) for level in (0.95, 0.7))
        pairs = zip(first, module.targets)
        assert [m.at_level(target, 0.7) for m, target in pairs] == other


def test_the_column_prefix_leads_the_name() -> None:
    assert [m.name for m in measured(column_prefix="a_")] == ["a_liverVolume", "a_height", "a_sex"]


def module_with_statistics(folder: Path) -> Any:
    names = [target.name for target in TARGETS]
    sexes = ["female"] * 101 + ["male"] * 101
    means = np.concatenate([np.linspace(150, 170, 101), np.linspace(165, 190, 101)])
    statistics = describe_predictions(
        names, np.stack([means / 100, means, means], axis=1), sexes, "202 made-up people"
    )
    digest = ModuleFile("statistics.json", "0" * 64)
    write_without_network(folder, statistics_file=digest)
    write_statistics(folder / "statistics.json", statistics)
    return load_module(folder)


def test_a_percentile_is_among_the_same_sex(tmp_path: Path) -> None:
    module = module_with_statistics(tmp_path / "trial")
    liver, height, sex = measure(module, MEAN, VARIANCE)
    assert height.percentile == pytest.approx(100 * (178.2 - 165) / 25, abs=1)
    assert height.percentile_reference == "predictions for male members of 202 made-up people"
    assert liver.percentile == pytest.approx(0.5)
    assert (sex.percentile, sex.percentile_reference) == (None, "")
    as_woman = measure(module, MEAN, VARIANCE, sex="female")[1]
    assert as_woman.percentile == pytest.approx(99.5)


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
