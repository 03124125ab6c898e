"""What is one study, and what are many: each way in which people keep studies."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path
from typing import Union

import pytest
from archive_builder import tarred, written, zipped
from dicom_builder import File, Scan, encoded
from pydicom.uid import generate_uid

from mimir_engine.cohort.sources import NamedSources, named_sources
from mimir_engine.errors import MimirError


@cache
def image(study: str, series: int = 1, patient: str = "someone", k: int = 0) -> bytes:
    dataset = Scan(number=series).dataset("W", k)
    dataset.StudyInstanceUID = generate_uid("2.25.", ["study", study]) if study else ""
    dataset.SeriesInstanceUID = generate_uid("2.25.", [study, patient, str(series)])
    dataset.SOPInstanceUID = generate_uid("2.25.", [study, patient, str(series), str(k)])
    dataset.PatientID = patient
    return encoded(dataset)


def archive(path: Path, study: str, series: int = 1, patient: str = "someone") -> Path:
    files = [File(f"{k}.dcm", image(study, series, patient, k)) for k in range(2)]
    content = zipped(files) if path.suffix == ".zip" else tarred(files)
    return written(path, gzip.compress(content) if path.suffix == ".tgz" else content)


def loose(folder: Path, study: str, series: int = 1, patient: str = "someone") -> None:
    for k in range(2):
        written(folder / f"{series}_{k}.dcm", image(study, series, patient, k))


def studies(found: NamedSources, root: Path) -> dict[str, Union[str, list[str]]]:
    """The source of each study by its name: a path, or several."""
    result: dict[str, Union[str, list[str]]] = {}
    for study in found.studies:
        if isinstance(study.source, tuple):
            result[study.name] = sorted(Path(p).relative_to(root).as_posix() for p in study.source)
        else:
            assert isinstance(study.source, Path)
            result[study.name] = study.source.relative_to(root).as_posix()
    return result


def found_in(root: Path) -> dict[str, Union[str, list[str]]]:
    return studies(named_sources([str(root)]), root.parent)


def notices_in(root: Path) -> dict[str, str]:
    return {notice.name: notice.reason for notice in named_sources([str(root)]).passed_over}


# ------------------------------------------------------------------ archives


@pytest.mark.parametrize("suffix", ["zip", "tar", "tgz"])
def test_archives_of_the_series_of_a_study_are_one_study(tmp_path: Path, suffix: str) -> None:
    visit = tmp_path / "visit"
    for series in (4, 5, 6):
        archive(visit / f"scan_{series}.{suffix}", "7", series)
    assert found_in(visit) == {"visit": [f"visit/scan_{series}.{suffix}" for series in (4, 5, 6)]}


def test_each_visit_of_a_cohort_is_a_study(tmp_path: Path) -> None:
    for visit in ("1", "2"):
        for series in (4, 5):
            archive(tmp_path / "all" / f"visit_{visit}" / f"scan_{series}.zip", visit, series)
    assert list(found_in(tmp_path / "all")) == ["visit_1", "visit_2"]


def test_archives_of_two_studies_in_one_folder_are_named_after_their_first_ones(
    tmp_path: Path,
) -> None:
    for study in ("1", "2"):
        for series in (4, 5):
            archive(tmp_path / "all" / f"{study}_{series}.zip", study, series)
    assert found_in(tmp_path / "all") == {
        "1_4": ["all/1_4.zip", "all/1_5.zip"],
        "2_4": ["all/2_4.zip", "all/2_5.zip"],
    }


def test_archives_of_series_in_folders_of_their_own_are_one_study(tmp_path: Path) -> None:
    for visit in ("1", "2"):
        for series in (4, 5):
            archive(tmp_path / "all" / f"visit_{visit}" / str(series) / "dicom.zip", visit, series)
    assert found_in(tmp_path / "all") == {
        f"visit_{visit}": [f"all/visit_{visit}/{series}/dicom.zip" for series in (4, 5)]
        for visit in ("1", "2")
    }


def test_archives_of_several_folders_given_one_by_one_are_joined(tmp_path: Path) -> None:
    paths = [archive(tmp_path / "visit" / str(n) / "dicom.zip", "7", n) for n in (4, 5)]
    assert studies(named_sources(map(str, paths)), tmp_path) == {
        "visit": ["visit/4/dicom.zip", "visit/5/dicom.zip"]
    }


def test_a_copy_of_a_folder_of_archives_is_a_study_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "copy of a"):
        for series in (4, 5):
            archive(tmp_path / "all" / name / f"{series}.zip", "7", series)
    assert list(found_in(tmp_path / "all")) == ["a", "copy of a"]


def test_archives_of_different_studies_are_studies(tmp_path: Path) -> None:
    for study in ("1", "2", "3"):
        archive(tmp_path / "all" / f"{study}.zip", study)
    assert found_in(tmp_path / "all") == {name: f"all/{name}.zip" for name in ("1", "2", "3")}


def test_patients_with_one_study_uid_are_not_joined(tmp_path: Path) -> None:
    archive(tmp_path / "all" / "1.zip", "7", 4, "one")
    archive(tmp_path / "all" / "2.zip", "7", 5, "two")
    assert list(found_in(tmp_path / "all")) == ["1", "2"]


def test_nameless_patients_with_one_study_uid_are_not_joined(tmp_path: Path) -> None:
    """Their scans have the same series numbers, but not the same series."""
    for number in ("1", "2"):
        dataset = Scan(time=f"1{number}0000").dataset("W", 0)
        dataset.PatientID = ""
        content = zipped([File("a.dcm", encoded(dataset))])
        written(tmp_path / "all" / f"{number}.zip", content)
    assert list(found_in(tmp_path / "all")) == ["1", "2"]


def test_copies_of_one_archive_are_studies(tmp_path: Path) -> None:
    archive(tmp_path / "all" / "a.zip", "7")
    archive(tmp_path / "all" / "a (1).zip", "7")
    assert sorted(found_in(tmp_path / "all")) == ["a", "a (1)"]


def test_an_archive_without_images_or_damaged_among_studies_is_a_study_that_fails(
    tmp_path: Path,
) -> None:
    root = tmp_path / "all"
    archive(root / "1.zip", "1")
    archive(root / "2.zip", "2")
    written(root / "3.zip", zipped([File("manifest.csv", b"")]))
    written(root / "4.zip", b"damaged")
    written(root / "5.7z", b"7z\xbc\xaf\x27\x1c")
    (root / "6.zip").symlink_to(root / "gone.zip")
    assert list(found_in(root)) == ["1", "2", "3", "4", "5", "6"]
    assert notices_in(root) == {}


def test_archives_given_one_by_one_are_joined_as_in_a_folder(tmp_path: Path) -> None:
    paths = [archive(tmp_path / "visit" / f"scan_{n}.zip", "7", n) for n in (4, 5)]
    other = archive(tmp_path / "b.zip", "8")
    found = named_sources(map(str, [other, *paths]))
    assert studies(found, tmp_path) == {
        "b": "b.zip",
        "visit": ["visit/scan_4.zip", "visit/scan_5.zip"],
    }
    assert [study.name for study in found.studies] == ["b", "visit"]


# ------------------------------------------------------------------ UK Biobank


def test_other_fields_of_uk_biobank_are_passed_over(tmp_path: Path) -> None:
    for field in ("20201", "20203", "20204", "20254"):
        for participant in ("1000001", "1000002"):
            archive(tmp_path / "bulk" / f"{participant}_{field}_2_0.zip", participant)
    found = named_sources([str(tmp_path / "bulk")])
    assert [study.name for study in found.studies] == ["1000001_20201_2_0", "1000002_20201_2_0"]
    assert [(notice.name, notice.files) for notice in found.passed_over] == [
        ("UK Biobank field 20203", 2),
        ("UK Biobank field 20204", 2),
        ("UK Biobank field 20254", 2),
    ]
    by_glob = named_sources(map(str, sorted((tmp_path / "bulk").iterdir())))
    assert by_glob == found


def test_only_other_fields_are_no_studies(tmp_path: Path) -> None:
    path = archive(tmp_path / "bulk" / "1000001_20203_2_0.zip", "1")
    for given in (path, path.parent):
        with pytest.raises(MimirError, match=r"NO_STUDIES: UK Biobank field 20203: not the neck"):
            named_sources([str(given)])


def test_an_empty_folder_beside_other_fields_is_a_study_that_fails(tmp_path: Path) -> None:
    archive(tmp_path / "bulk" / "1000001_20203_2_0.zip", "1")
    (tmp_path / "empty").mkdir()
    found = named_sources([str(tmp_path / "bulk"), str(tmp_path / "empty")])
    assert studies(found, tmp_path) == {"empty": "empty"}


def test_archives_of_uk_biobank_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for participant in ("1000001", "1000002"):
        archive(tmp_path / "bulk" / f"{participant}_20201_2_0.zip", "7")

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    assert len(named_sources([str(tmp_path / "bulk")]).studies) == 2


# ------------------------------------------------------------------ loose files


def test_the_series_of_one_study_are_one_study(tmp_path: Path) -> None:
    for series in (1, 2, 3):
        loose(tmp_path / "visit" / f"series_{series}", "7", series)
    written(tmp_path / "visit" / "notes.txt", b"text")
    assert found_in(tmp_path / "visit") == {"visit": "visit"}


def test_folders_of_patients_are_studies(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        loose(tmp_path / "all" / patient, patient)
    assert found_in(tmp_path / "all") == {"a": "all/a", "b": "all/b"}


def test_nested_folders_of_sites_patients_and_series_are_studies(tmp_path: Path) -> None:
    for site, patient in (("x", "1"), ("x", "2"), ("y", "3")):
        for series in (1, 2):
            loose(tmp_path / "all" / site / patient / f"s{series}", f"{site}{patient}", series)
    assert found_in(tmp_path / "all") == {"1": "all/x/1", "2": "all/x/2", "y": "all/y"}


def test_folders_that_share_a_study_are_not_split(tmp_path: Path) -> None:
    """Reading refuses them: they may be one study, or several."""
    for series, study in ((1, "7"), (2, "7"), (3, "8")):
        loose(tmp_path / "all" / f"s{series}", study, series)
    assert found_in(tmp_path / "all") == {"all": "all"}


def test_patients_without_study_uids_are_told_by_their_patient_ids(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        loose(tmp_path / "all" / patient, "", 1, patient)
        loose(tmp_path / "all" / patient / "more", "", 2, patient)
    assert found_in(tmp_path / "all") == {"a": "all/a", "b": "all/b"}


def test_files_beside_folders_of_another_study_are_a_study(tmp_path: Path) -> None:
    loose(tmp_path / "all", "1")
    loose(tmp_path / "all" / "b", "2")
    assert found_in(tmp_path / "all") == {"all": ["all/1_0.dcm", "all/1_1.dcm"], "b": "all/b"}


def test_patients_whose_folders_are_links_are_studies_of_these_names(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        loose(tmp_path / "store" / f"x{patient}", patient)
        (tmp_path / "all").mkdir(exist_ok=True)
        (tmp_path / "all" / patient).symlink_to(tmp_path / "store" / f"x{patient}")
    assert found_in(tmp_path / "all") == {"a": "all/a", "b": "all/b"}


def test_a_folder_that_cannot_be_listed_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose(tmp_path / "all" / "a", "1")
    loose(tmp_path / "all" / "locked", "2")
    archive(tmp_path / "all" / "c.zip", "3")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = found_in(tmp_path / "all")
    assert found == {"a": "all/a", "c": "all/c.zip", "locked": "all/locked"}


def test_a_patient_whose_files_are_broken_links_fails_alone(tmp_path: Path) -> None:
    loose(tmp_path / "all" / "a", "1")
    loose(tmp_path / "all" / "b", "2")
    (tmp_path / "all" / "c").mkdir()
    (tmp_path / "all" / "c" / "1.dcm").symlink_to(tmp_path / "gone.dcm")
    assert found_in(tmp_path / "all") == {"a": "all/a", "b": "all/b", "c": "all/c/1.dcm"}


def test_a_file_that_cannot_be_read_beside_archives_does_not_hide_them(tmp_path: Path) -> None:
    archive(tmp_path / "all" / "1.zip", "1")
    written(tmp_path / "all" / "2.zip", zipped([File("notes.txt", b"text")]))
    (tmp_path / "all" / "latest").symlink_to(tmp_path / "gone")
    assert found_in(tmp_path / "all") == {
        "1": "all/1.zip",
        "2": "all/2.zip",
        "all": "all/latest",
    }


def test_compressed_files_of_patients_are_told_apart(tmp_path: Path) -> None:
    for patient in ("a", "b"):
        written(tmp_path / "all" / patient / "1.dcm.gz", gzip.compress(image(patient)))
    assert found_in(tmp_path / "all") == {"a": "all/a", "b": "all/b"}


def test_files_of_one_study_given_one_by_one_are_one_study(tmp_path: Path) -> None:
    loose(tmp_path / "visit", "7")
    written(tmp_path / "visit" / "notes.txt", b"text")
    found = named_sources(map(str, sorted((tmp_path / "visit").iterdir())))
    assert studies(found, tmp_path) == {
        "visit": ["visit/1_0.dcm", "visit/1_1.dcm"],
        "notes.txt": "visit/notes.txt",
    }


# ------------------------------------------------------------------ loose files beside archives


def test_loose_files_beside_an_archive_without_images_are_measured(tmp_path: Path) -> None:
    loose(tmp_path / "visit", "7")
    written(tmp_path / "visit" / "reports.zip", zipped([File("report.txt", b"nothing")]))
    assert found_in(tmp_path / "visit") == {"visit": "visit"}
    assert notices_in(tmp_path / "visit") == {"reports.zip": "holds no DICOM files"}


def test_an_archive_of_the_same_study_joins_loose_files(tmp_path: Path) -> None:
    loose(tmp_path / "visit" / "series_1", "7", 1)
    archive(tmp_path / "visit" / "series_2.zip", "7", 2)
    assert found_in(tmp_path / "visit") == {"visit": "visit"}


def test_an_archive_of_another_study_is_a_study_beside_loose_files(tmp_path: Path) -> None:
    loose(tmp_path / "all" / "a", "1")
    archive(tmp_path / "all" / "a" / "more.zip", "1", 2)
    archive(tmp_path / "all" / "b.zip", "2")
    assert found_in(tmp_path / "all") == {
        "a": ["all/a/1_0.dcm", "all/a/1_1.dcm", "all/a/more.zip"],
        "b": "all/b.zip",
    }


def test_archives_of_uk_biobank_beside_loose_files_are_studies(tmp_path: Path) -> None:
    loose(tmp_path / "all" / "own", "1")
    for field in ("20201", "20203"):
        archive(tmp_path / "all" / f"1000001_{field}_2_0.zip", "1")
    assert found_in(tmp_path / "all") == {
        "1000001_20201_2_0": "all/1000001_20201_2_0.zip",
        "own": ["all/own/1_0.dcm", "all/own/1_1.dcm"],
    }


def test_a_damaged_archive_beside_loose_files_is_a_study_that_fails(tmp_path: Path) -> None:
    loose(tmp_path / "visit", "7")
    written(tmp_path / "visit" / "more.zip", b"damaged")
    assert found_in(tmp_path / "visit") == {
        "more": "visit/more.zip",
        "visit": ["visit/1_0.dcm", "visit/1_1.dcm"],
    }


def test_an_archive_of_another_kind_beside_loose_files_is_passed_over(tmp_path: Path) -> None:
    loose(tmp_path / "visit", "7")
    written(tmp_path / "visit" / "more.7z", b"7z\xbc\xaf\x27\x1c")
    assert found_in(tmp_path / "visit") == {"visit": "visit"}
    assert notices_in(tmp_path / "visit") == {"more.7z": "an archive of a kind that is not opened"}


def test_archives_beside_the_folders_into_which_they_were_unpacked_join_them(
    tmp_path: Path,
) -> None:
    for name, study in (("a", "1"), ("b", "2"), ("1000001_20201_2_0", "3")):
        loose(tmp_path / "all" / name, study)
        archive(tmp_path / "all" / f"{name}.zip", study)
    assert found_in(tmp_path / "all") == {
        name: [f"all/{name}.zip", f"all/{name}/1_0.dcm", f"all/{name}/1_1.dcm"]
        for name in ("1000001_20201_2_0", "a", "b")
    }
    loose(tmp_path / "one" / "1000001_20201_2_0", "3")
    archive(tmp_path / "one" / "1000001_20201_2_0.zip", "3")
    assert found_in(tmp_path / "one") == {"1000001_20201_2_0": "one"}


def test_an_archive_in_the_folder_of_another_patient_joins_its_own(tmp_path: Path) -> None:
    loose(tmp_path / "all" / "a", "1")
    loose(tmp_path / "all" / "b", "2")
    archive(tmp_path / "all" / "a" / "b2.zip", "2", 2)
    assert found_in(tmp_path / "all") == {
        "a": ["all/a/1_0.dcm", "all/a/1_1.dcm"],
        "b": ["all/a/b2.zip", "all/b/1_0.dcm", "all/b/1_1.dcm"],
    }


def test_nameless_archives_do_not_join_nameless_files(tmp_path: Path) -> None:
    loose(tmp_path / "all" / "a", "", 1, "")
    archive(tmp_path / "all" / "b.zip", "", 2, "")
    assert list(found_in(tmp_path / "all")) == ["a", "b"]


def test_copies_of_a_study_that_begin_with_different_images_are_studies_each(
    tmp_path: Path,
) -> None:
    files = [File(f"{n}.dcm", image("one", n)) for n in (1, 2)]
    whole = written(tmp_path / "whole.zip", zipped(files))
    copy = written(tmp_path / "other order.zip", zipped(files[::-1]))
    found = named_sources([str(tmp_path)])
    assert studies(found, tmp_path) == {"other order": copy.name, "whole": whole.name}
