from __future__ import annotations

from dataclasses import replace

import pytest

from mimir_engine.headers.contrast import Contrast
from mimir_engine.inference_module.acceptance import UK_BIOBANK, Accepts, outside_validation
from mimir_engine.study import Scanner
from mimir_engine.study.study_facts import StudyFacts

CONTRASTS = tuple(contrast.value for contrast in Contrast)
STUDY = StudyFacts("a", (CONTRASTS,) * 6, Scanner("Siemens Healthineers", "Aera", 1.494))
EXTENT_MM = 1086.0


def test_a_uk_biobank_study_is_inside() -> None:
    assert outside_validation(UK_BIOBANK, STUDY, EXTENT_MM) == []


@pytest.mark.parametrize(
    ("scanner", "reason"),
    [
        (Scanner("GE MEDICAL SYSTEMS", "", 1.5), "its vendor is GE MEDICAL SYSTEMS, not SIEMENS"),
        (Scanner("Not Siemens", "", 1.5), "its vendor is Not Siemens, not SIEMENS"),
        (Scanner("", "Aera", 1.5), "its vendor is unknown"),
        (Scanner("SIEMENS", "Skyra", 3.0), "its field strength is 3 T, not 1.5 T"),
        (Scanner("SIEMENS", "Aera", None), "its field strength is unknown"),
    ],
)
def test_another_or_unknown_scanner_is_outside(scanner: Scanner, reason: str) -> None:
    assert outside_validation(UK_BIOBANK, replace(STUDY, scanner=scanner), EXTENT_MM) == [reason]


def test_another_number_of_stations_is_outside() -> None:
    study = replace(STUDY, contrasts=STUDY.contrasts[:5])
    assert outside_validation(UK_BIOBANK, study, EXTENT_MM) == ["it has 5 stations, not 6"]


@pytest.mark.parametrize("extent_mm", [999.0, 1251.0, float("nan")])
def test_another_extent_is_outside(extent_mm: float) -> None:
    (reason,) = outside_validation(UK_BIOBANK, STUDY, extent_mm)
    assert reason == f"it is {extent_mm:.0f} mm from head to foot, not 1000 to 1250 mm"


def test_a_contrast_missing_in_one_station_is_outside() -> None:
    study = replace(STUDY, contrasts=(*STUDY.contrasts[:5], ("water",)))
    assert outside_validation(UK_BIOBANK, study, EXTENT_MM) == ["a station has no fat image"]


def test_models_are_matched_by_a_part_of_their_name() -> None:
    accepts = replace(UK_BIOBANK, models=("aera", "Avanto", "Sola"))
    assert outside_validation(accepts, STUDY, EXTENT_MM) == []
    skyra = replace(STUDY, scanner=Scanner("SIEMENS", "Skyra", 1.5))
    assert outside_validation(accepts, skyra, EXTENT_MM) == [
        "its scanner model is Skyra, not aera, Avanto or Sola"
    ]
    unknown = replace(STUDY, scanner=Scanner("SIEMENS", "", 1.5))
    assert outside_validation(accepts, unknown, EXTENT_MM) == ["its scanner model is unknown"]


def test_all_reasons_are_given_but_only_for_limited_properties() -> None:
    study = StudyFacts("b", (CONTRASTS,))
    assert len(outside_validation(UK_BIOBANK, study, 300.0)) == 4
    assert outside_validation(Accepts(), study, 300.0) == []
