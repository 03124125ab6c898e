"""Estimates that the images themselves contradict are flagged, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cohort_builder import made_up_statistics
from random_modules import write_without_network

from mimir_engine.direct.direct_measurement import QUANTITIES, DirectMeasurement
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import load_module
from mimir_engine.inference_module.direct_reference import DirectReference
from mimir_engine.inference_module.format import InferenceModule, ModuleFile
from mimir_engine.inference_module.statistics import write_statistics
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.flags import DISAGREES_WITH_IMAGE, FLAG_SENTENCES
from mimir_engine.measuring.image_agreement import flag_disagreements
from mimir_engine.measuring.measurement import Measurement, measure

#: What is usual: values of one phantom, and what was measured in its images.
USUAL = {
    **{"weight": 75.0, "waist": 92.0, "hip": 101.0, "totalFatVolume": 18.0},
    **{"totalLeanVolume": 38.0, "visceralFatVolume": 3.2, "thighMuscleVolume": 8.4},
    **{"abdominalSubcutaneousFatVolume": 6.0, "AtlasVatVolume": 3.2, "AtlasAsatVolume": 6.0},
    **{"DxaTotalFatMass": 22.0, "DxaTotalLeanMass": 50.0, "liverVolume": 1.5, "age": 55.0},
}
UNITS = {"weight": "kg", "waist": "cm", "hip": "cm", "age": "years"}
IN_IMAGE = {
    **{"body_volume": 62.0, "fat_volume": 21.0, "lean_volume": 39.0, "waist": 93.0, "hip": 100.0},
    **{"right_thigh_lean_volume": 4.4, "left_thigh_lean_volume": 4.3},
}


def module_of(
    folder: Path, values: Mapping[str, float], **references: DirectReference
) -> InferenceModule:
    """A module with these targets, and references of some."""
    targets = tuple(Target(name, "", unit_of(name), 1, 10.0, 5.0) for name in values)
    module = load_module(write_without_network(folder / "trial", targets=targets))
    statistics = replace(made_up_statistics(), by_sex={}, direct=references)
    write_statistics(module.folder / "statistics.json", statistics)
    return replace(module, statistics_file=ModuleFile("statistics.json", "0" * 64))


def unit_of(name: str) -> str:
    return UNITS.get(name, "kg" if name.startswith("Dxa") else "L")


def direct(values: Mapping[str, float]) -> list[DirectMeasurement]:
    return [DirectMeasurement(n, unit, values.get(n), "...") for n, unit in QUANTITIES.items()]


def estimates(module: InferenceModule, values: Mapping[str, float], sd: float) -> list[Measurement]:
    return measure(module, list(values.values()), [sd**2] * len(values))


def flagged(
    folder: Path,
    values: Mapping[str, float],
    in_image: Mapping[str, float] = IN_IMAGE,
    sd: float = 0.1,
    **references: DirectReference,
) -> list[str]:
    """Targets that are flagged."""
    module = module_of(folder, values, **references)
    before = estimates(module, values, sd)
    after = flag_disagreements(before, module, direct(in_image))
    assert [m.value for m in after] == [m.value for m in before]
    return [m.target for m in after if DISAGREES_WITH_IMAGE in m.flags]


def test_usual_estimates_go_with_the_images(tmp_path: Path) -> None:
    assert flagged(tmp_path, USUAL) == []


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("weight", 160.0),
        ("weight", 45.0),
        ("waist", 60.0),
        ("hip", 150.0),
        ("totalFatVolume", 30.0),
        ("totalFatVolume", 4.0),
        ("totalLeanVolume", 60.0),
        ("DxaTotalFatMass", 60.0),
        ("DxaTotalLeanMass", 20.0),
        ("liverVolume", 9.0),
        ("thighMuscleVolume", 16.0),
    ],
)
def test_an_impossible_estimate_is_flagged(tmp_path: Path, target: str, value: float) -> None:
    assert flagged(tmp_path, {**USUAL, target: value}) == [target]


def test_depots_that_together_surpass_all_fat_are_flagged(tmp_path: Path) -> None:
    values = {**USUAL, "AtlasVatVolume": 9.0, "AtlasAsatVolume": 14.0}
    assert flagged(tmp_path, values) == ["AtlasVatVolume", "AtlasAsatVolume"]


def test_an_uncertain_estimate_is_given_its_uncertainty(tmp_path: Path) -> None:
    assert flagged(tmp_path, {"totalFatVolume": 30.0}, sd=4.0) == []


def test_what_the_images_do_not_tell_is_not_judged(tmp_path: Path) -> None:
    wrong = {"age": 500.0, "waist": 10.0, "weight": 900.0, "somethingElse": 900.0}
    assert flagged(tmp_path / "unknown", wrong, {}) == []
    assert flagged(tmp_path / "known", wrong) == ["waist", "weight"]


def line(**changes: float) -> DirectReference:
    usual = {"intercept": -0.8, "slope": 0.9, "sd": 0.3, "low": 5.0, "high": 40.0, "studies": 300}
    return DirectReference("fat_volume", **{**usual, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "is_flagged"), [(17.0, False), (19.1, False), (20.0, True), (14.0, True)]
)
def test_a_reference_of_the_module_is_stricter_than_the_bounds(
    tmp_path: Path, value: float, is_flagged: bool
) -> None:
    found = flagged(tmp_path, {"totalFatVolume": value}, totalFatVolume=line())
    assert bool(found) == is_flagged


def test_a_target_of_any_name_can_have_a_reference(tmp_path: Path) -> None:
    assert flagged(tmp_path, {"fatness": 30.0}, fatness=line()) == ["fatness"]


def test_a_reference_does_not_judge_bodies_beyond_its_own_studies(tmp_path: Path) -> None:
    assert flagged(tmp_path, {"totalFatVolume": 20.0}, totalFatVolume=line(high=20.0)) == []


def test_a_damaged_reference_is_refused() -> None:
    with pytest.raises(MimirError, match="STATISTICS_INVALID"):
        line(sd=0.0)


def test_the_flag_has_a_sentence() -> None:
    assert "do not rely" in FLAG_SENTENCES[DISAGREES_WITH_IMAGE]
