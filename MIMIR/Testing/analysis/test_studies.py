"""Studies to measure: from the database, from files, from volumes in the scene."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("slicer")

import slicer

from mimir_engine import MimirError
from MIMIRLib.analysis.request import StudyRequest
from MIMIRLib.analysis.studies import (
    all_from_database,
    from_database,
    from_paths,
    from_volumes,
)
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.scene.subject import Subject


def entry(study_uid: str, **changes: str) -> StudyEntry:
    fields = {
        "patient_id": "P1",
        "patient_name": "Doe, Jane",
        "study_date": "2020-02-29",
        "study_description": "Imaging visit",
        **changes,
    }
    return StudyEntry(
        study_uid=study_uid,
        completeness=Completeness.COMPLETE,
        stations=6,
        reason="6 stations",
        series_uids=(f"{study_uid}.1",),
        **fields,
    )


class Files:
    """A database of two studies; the files of the second one are gone."""

    def __init__(self, folder: Path) -> None:
        self.there, self.gone = folder / "1.dcm", folder / "2.dcm"
        self.there.touch()

    def seriesForStudy(self, study_uid: str) -> Sequence[str]:  # noqa: N802
        return [f"{study_uid}.1"]

    def filesForSeries(self, series_uid: str) -> Sequence[str]:  # noqa: N802
        return [str(self.there if series_uid == "1.1.1" else self.gone)]


def test_a_study_of_the_database_is_called_by_its_uid_and_has_its_patient(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path)

    assert from_database(files, entry("1.1")) == StudyRequest(
        "1.1",
        files=(str(files.there),),
        subject=Subject("1.1", "P1", "Doe, Jane", "2020-02-29", "Imaging visit"),
    )
    assert from_database(files, "1.1").subject == Subject("1.1")


def test_one_whose_files_are_gone_does_not_hinder_the_others(tmp_path: Path) -> None:
    bad, good = all_from_database(Files(tmp_path), [entry("1.2"), entry("1.1")])

    assert isinstance(bad, StudyOutcome)
    assert (bad.key, bad.code) == ("1.2", "FILES_GONE")
    assert isinstance(good, StudyRequest)


def test_each_archive_is_one_study_named_as_on_the_command_line(
    tmp_path: Path,
) -> None:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).touch()
    (tmp_path / "slices").mkdir()

    assert [study.key for study in from_paths(tmp_path)] == ["a", "b"]
    assert [study.key for study in from_paths([tmp_path / "b.zip", tmp_path / "slices"])] == [
        "b",
        "slices",
    ]
    assert from_paths(str(tmp_path / "a.zip")) == (StudyRequest("a", path=str(tmp_path / "a.zip")),)


def test_archives_of_the_series_of_a_study_are_one_study(tmp_path: Path) -> None:
    paths = [tmp_path / "visit" / f"scan_{number}.tar.gz" for number in (4, 5)]
    header = bytes(128) + b"DICM"
    uid = b"\x20\0\x0d\0UI\x06\0" + b"2.25.7" + b"\x20\0\x11\0IS\x02\0"
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        content = header + uid + str(number).encode() + b" "
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("1.dcm")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

    request = StudyRequest("visit", files=tuple(map(str, paths)))
    assert from_paths(tmp_path / "visit") == from_paths(paths) == (request,)


def test_dicom_files_are_the_slices_of_one_study(tmp_path: Path) -> None:
    paths = [tmp_path / "1.dcm", tmp_path / "2"]
    for path in paths:
        path.touch()

    assert from_paths(paths) == (StudyRequest(tmp_path.name, files=tuple(map(str, paths))),)


def test_no_path_gives_no_study() -> None:
    with pytest.raises(MimirError, match="NO_STUDIES"):
        from_paths([])


def test_a_volume_without_mimirs_mark_is_refused(tmp_path: Path) -> None:
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName("any")

    with pytest.raises(MimirError, match="NOT_FUSED_BY_MIMIR: 'any'"):
        from_volumes(node, node, tmp_path)
