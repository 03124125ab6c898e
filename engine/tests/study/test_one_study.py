"""Images of several persons or studies are never joined."""

from __future__ import annotations

import pytest
from assembly_builder import BELOW, SCAN, code, plans_of, refusal
from changes import setting
from dicom_builder import File


def test_two_patients_and_two_studies_are_refused() -> None:
    assert code(SCAN.files(), BELOW.files(change=setting(PatientID="x"))) == "MIXED_PATIENTS"
    other = setting(StudyInstanceUID="2.25.8")
    assert code(SCAN.files(), BELOW.files(change=other)) == "MIXED_STUDIES"


def of_patient(text: str | None) -> list[File]:
    return BELOW.files(change=setting(PatientID=text))


@pytest.mark.parametrize("text", [None, "", " ", "SOMEONE", "  someone ", "Someone"])
def test_empty_numbers_letter_case_and_blanks_contradict_nothing(text: str | None) -> None:
    plans, findings = plans_of(SCAN.files(), of_patient(text))
    assert len(plans) == 2
    assert findings == []


def test_blanks_within_a_number_count_once() -> None:
    first = SCAN.files(change=setting(PatientID="AB 12"))
    assert len(plans_of(first, of_patient("ab   12"))[0]) == 2


@pytest.mark.parametrize("text", ["AB12", "ab_12", "AB.12", "AB-0012"])
def test_the_error_says_that_only_the_spelling_of_a_number_differs(text: str) -> None:
    error = refusal(SCAN.files(change=setting(PatientID="AB-12")), of_patient(text))
    assert error.code == "MIXED_PATIENTS"
    assert "differ only in zeros or punctuation marks" in error.what


@pytest.mark.parametrize("text", ["AB-13", "AB-120", "BA-12"])
def test_the_error_does_not_call_different_numbers_a_matter_of_spelling(text: str) -> None:
    error = refusal(SCAN.files(change=setting(PatientID="AB-12")), of_patient(text))
    assert error.code == "MIXED_PATIENTS"
    assert "differ only" not in error.what
    assert "2 patients" in error.what


@pytest.mark.parametrize("text", ["x", "some-one"])
def test_the_error_says_how_to_give_studies_and_names_nobody(text: str) -> None:
    sentence = str(refusal(SCAN.files(), of_patient(text)))
    assert "folder" in sentence
    assert not any(name in sentence for name in ("someone", "some-one", "Nobody"))


def test_no_study_uid_contradicts_nothing() -> None:
    assert len(plans_of(SCAN.files(), BELOW.files(change=setting(StudyInstanceUID="")))[0]) == 2
