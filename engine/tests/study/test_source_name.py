"""Studies are named after their source; UK Biobank's file names contain two ids."""

from __future__ import annotations

import pytest

from mimir_engine.study.source import StudySource
from mimir_engine.study.source_name import source_name, uk_biobank_ids


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/1234567_20201_2_0.zip", "1234567_20201_2_0"),
        ("a/STUDY.ZIP", "STUDY"),
        ("a/v1.2", "v1.2"),
        ("a/image.dcm", "image"),
        (["a.dcm", "b.dcm"], ""),
    ],
)
def test_a_study_is_named_after_its_archive_or_folder(source: StudySource, name: str) -> None:
    assert source_name(source) == name


def test_names_of_uk_biobank_contain_participant_and_visit() -> None:
    assert uk_biobank_ids("1234567_20201_2_0") == ("1234567", "2")


@pytest.mark.parametrize("name", ["123456_20201_2_0", "1234567_20202_2_0", "x1234567_20201_2_0"])
def test_other_names_contain_no_ids(name: str) -> None:
    assert uk_biobank_ids(name) == ("", "")
