"""Which studies are visits of one person."""

from __future__ import annotations

import pytest

from mimir_engine.cohort.images.image_folder import StudyId, study_id
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.errors import MimirError

UK_BIOBANK = (study_id("1000001_20201_2_0"), study_id("1000001_20201_3_0"))
OTHERS = (StudyId("KI-001_v1"), StudyId("KI-001_v2"), StudyId("KI-002_v1"))


def test_names_of_uk_biobank_tell_the_person() -> None:
    studies, record = PersonRule().assign(UK_BIOBANK)
    assert {study.person for study in studies} == {"1000001"}
    assert record == {"persons": 1, "persons_known_by": "participants of UK Biobank"}


def test_other_names_need_a_column_a_pattern_or_a_declaration() -> None:
    with pytest.raises(MimirError, match=r"PERSONS_UNKNOWN: the person of 3 of 5 studies"):
        PersonRule().assign((*UK_BIOBANK, *OTHERS))
    by_pattern, record = PersonRule(r"^(.+)_v\d$").assign((*UK_BIOBANK, *OTHERS))
    assert [study.person for study in by_pattern[2:]] == ["KI-001", "KI-001", "KI-002"]
    assert record["persons"] == 3
    assert record["persons_known_by"] == "a pattern of names and participants of UK Biobank"
    declared, record = PersonRule(each_its_own=True).assign(OTHERS)
    assert [study.person for study in declared] == [study.name for study in OTHERS]
    assert record["persons_known_by"] == "the declaration that each study is its own person"
    given = [StudyId(study.name, given_person=study.name[:6]) for study in OTHERS]
    assert PersonRule().assign(given)[1] == {
        "persons": 2,
        "persons_known_by": "a column of a table",
    }


def test_names_that_a_pattern_does_not_fit_are_no_persons_by_accident() -> None:
    with pytest.raises(MimirError, match=r"PERSONS_UNKNOWN: .*1 of 4 .*do not fit the pattern"):
        PersonRule(r"^(.+)_v\d$").assign((*OTHERS, StudyId("KI-003")))


def test_visits_of_a_participant_with_different_persons_are_refused() -> None:
    other = [
        StudyId(study.name, study.eid, study.instance, person)
        for study, person in zip(UK_BIOBANK, "ab")
    ]
    with pytest.raises(MimirError, match="PERSONS_CONTRADICT"):
        PersonRule().assign(other)


@pytest.mark.parametrize("pattern", ["^KI", "(KI"])
def test_a_pattern_without_a_group_is_refused(pattern: str) -> None:
    with pytest.raises(MimirError, match="WRONG_USE"):
        PersonRule(pattern)
