"""What headers tell of the patient is read only where it is plausible."""

from __future__ import annotations

import pytest

from mimir_engine.headers.patient_traits import PatientTraits, patient_traits


def test_all_traits_are_read() -> None:
    tags = {"PatientSex": "M", "PatientAge": "052Y", "PatientSize": "1.78", "PatientWeight": "81.5"}
    assert patient_traits(tags) == PatientTraits("male", 52.0, 178.0, 81.5)


def test_a_height_in_centimetres_is_taken_as_such() -> None:
    assert patient_traits({"PatientSize": "178"}).height == 178.0


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        *(("PatientSex", text) for text in ("", "O", "male?")),
        *(("PatientAge", text) for text in ("", "000Y", "006M", "52", "999Y")),
        *(("PatientSize", text) for text in ("", "0", "0.01", "1,78", "17.8", "1.7\\1.8")),
        *(("PatientWeight", text) for text in ("", "0", "1", "999", "82 kg")),
    ],
)
def test_what_is_missing_or_implausible_is_unknown(keyword: str, text: str) -> None:
    assert patient_traits({keyword: text}) == PatientTraits()
