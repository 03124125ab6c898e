"""Studies are named after their source; UK Biobank's file names contain two ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cli._number_options import MAX_SEED
from mimir_engine.phantom.dicom_study import study_name
from mimir_engine.source.open_source import StudySource
from mimir_engine.source.source_name import source_name, uk_biobank_field, uk_biobank_ids


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/1234567_20201_2_0.zip", "1234567_20201_2_0"),
        ("a/STUDY.ZIP", "STUDY"),
        ("a/study.tar.gz", "study"),
        ("a/study.tgz", "study"),
        ("a/image.dcm.gz", "image"),
        ("a/.zip", ".zip"),
        ("a/b/..", "a"),
        ("a/v1.2", "v1.2"),
        ("a/image.dcm", "image"),
        (["a.dcm", "b.dcm"], ""),
    ],
)
def test_a_study_is_named_after_its_archive_or_folder(source: StudySource, name: str) -> None:
    assert source_name(source) == name


def test_a_link_gives_the_study_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "patient").symlink_to(tmp_path / "store")
    assert source_name(tmp_path / "patient") == "patient"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("1234567_20201_2_0.zip", "20201"),
        ("1234567_20254_3_1.ZIP", "20254"),
        ("1234567_20201_2_0.tar", ""),
        ("x1234567_20201_2_0.zip", ""),
        ("123456_20201_2_0.zip", ""),
        ("scan_4.zip", ""),
    ],
)
def test_bulk_files_of_uk_biobank_name_their_field(name: str, field: str) -> None:
    assert uk_biobank_field(name) == field


def test_names_of_uk_biobank_contain_participant_and_visit() -> None:
    assert uk_biobank_ids("1234567_20201_2_0") == ("1234567", "2")


@pytest.mark.parametrize("seed", [0, 3_999_999, 4_000_000, MAX_SEED])
def test_phantoms_of_all_seeds_have_participant_and_visit(seed: int) -> None:
    assert uk_biobank_ids(study_name(seed, repeat=1)) == (str(6_000_000 + seed), "3")


@pytest.mark.parametrize("name", ["123456_20201_2_0", "1234567_20202_2_0", "x1234567_20201_2_0"])
def test_other_names_contain_no_ids(name: str) -> None:
    assert uk_biobank_ids(name) == ("", "")
