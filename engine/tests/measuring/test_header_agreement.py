"""Sex, height, weight and age of the header are compared with the estimates."""

from __future__ import annotations

import pytest
from random_modules import module_spec

from mimir_engine.headers.patient_traits import PatientTraits
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.header_agreement import find_header_disagreement
from mimir_engine.measuring.measurement import Measurement, measure

MODULE = module_spec(
    targets=(
        Target("height", "12144", "cm", 1, 169, 9.2),
        Target("weight", "21002", "kg", 1, 75, 14),
        Target("age", "", "years", 1, 64, 8),
        Target("sex", "31", "", 1, 0.48, 0.5, kind="class"),
    )
)


def estimates(score: float = 0.98) -> list[Measurement]:
    """170 cm, SD 2; 80 kg, SD 1; 60 years, SD 3; male."""
    return measure(MODULE, [170.0, 80.0, 60.0, score], [4.0, 1.0, 9.0, 0.0001])


@pytest.mark.parametrize(
    "traits",
    [
        PatientTraits(),
        PatientTraits("male", 60.0, 170.0, 80.0),
        PatientTraits("male", 46.0, 182.0, 70.0),
    ],
)
def test_what_is_unknown_or_near_is_no_finding(traits: PatientTraits) -> None:
    assert find_header_disagreement(traits, estimates()) == []


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        (
            PatientTraits(height=184.0),
            "the header's height differs from the estimated one by 14 cm",
        ),
        (PatientTraits(weight=65.0), "the header's weight differs from the estimated one by 15 kg"),
        (PatientTraits(age=80.0), "the header's age differs from the estimated one by 20 years"),
        (PatientTraits(sex="female"), "the header's sex differs from the estimated one"),
    ],
)
def test_a_clear_difference_is_told_without_the_header_s_value(
    traits: PatientTraits, words: str
) -> None:
    (finding,) = find_header_disagreement(traits, estimates())
    assert (finding.code, finding.sentence) == ("HEADER_DISAGREES", words)


def test_an_uncertain_sex_disagrees_with_none() -> None:
    assert find_header_disagreement(PatientTraits("female"), estimates(score=0.5)) == []
    wild = estimates(score=268.0)
    assert find_header_disagreement(PatientTraits("female"), wild) == []
    assert len(find_header_disagreement(PatientTraits("female"), [*wild, *estimates()])) == 1
    assert find_header_disagreement(PatientTraits("male"), estimates(score=0.5)) == []


def test_only_the_first_module_that_estimates_a_quantity_counts() -> None:
    twice = [*estimates(), *estimates()]
    assert len(find_header_disagreement(PatientTraits(height=190.0), twice)) == 1
