"""The study of a file or archive is told from a few kilobytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from archive_builder import tarred, written, zipped
from dicom_builder import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, File, Scan, encoded
from pydicom.dataset import Dataset

from mimir_engine.headers.study_identity import (
    StudyIdentity,
    identity_of_archive,
    identity_of_source,
)


def image(syntax: str = EXPLICIT, **changes: object) -> bytes:
    dataset = Scan(number=4).dataset("W", 0)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return encoded(dataset, syntax)


def told(path: Path) -> StudyIdentity:
    identity = identity_of_source(path)
    assert identity is not None
    return identity


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_files_of_every_encoding_tell_their_study(tmp_path: Path, syntax: str) -> None:
    identity = told(written(tmp_path / "a.dcm", image(syntax)))
    assert identity[:3] == ("2.25.7", "someone", "20200229")
    assert identity.series_number == "4"


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_long_header_before_the_study_is_read(tmp_path: Path, syntax: str) -> None:
    long = image(syntax, ImageComments="x", AdditionalPatientHistory="x" * 9000)
    assert told(written(tmp_path / "a.dcm", long)).study_uid == "2.25.7"


def test_a_file_without_preamble_tells_its_study(tmp_path: Path) -> None:
    bare = image()
    assert told(written(tmp_path / "a", bare[bare.index(b"\x08\0\x05\0") :])).study_uid == "2.25.7"


def test_patients_that_differ_in_case_and_spaces_are_one(tmp_path: Path) -> None:
    one = told(written(tmp_path / "a.dcm", image(PatientID="ID 7 ")))
    two = told(written(tmp_path / "b.dcm", image(PatientID="id 7")))
    assert one.patient == two.patient == "id 7"


def test_a_damaged_file_tells_nothing_but_that_it_is_dicom(tmp_path: Path) -> None:
    assert told(written(tmp_path / "a.dcm", b"no header at all"))[:5] == ("",) * 5
    assert told(written(tmp_path / "b.dcm", image()[:200]))[:5] == ("",) * 5


def test_other_files_and_a_dicomdir_belong_to_no_study(tmp_path: Path) -> None:
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2"
    written(tmp_path / "DICOMDIR", encoded(directory))
    written(tmp_path / "notes.txt", b"text")
    assert identity_of_source(tmp_path) is None
    written(tmp_path / "z" / "a.dcm", image())
    assert told(tmp_path).study_uid == "2.25.7"


@pytest.mark.parametrize("first", [[], [File("notes.txt", b"text")], [File("x/", b"")]])
@pytest.mark.parametrize("method", [0, 8])
def test_an_archive_tells_the_study_of_its_first_dicom_file(
    tmp_path: Path, first: list[File], method: int
) -> None:
    files = [*first, File("a.dcm", image()), File("b.dcm", image(StudyInstanceUID="2.25.8"))]
    for content in (
        zipped(files, method),
        tarred(files),
        gzip.compress(tarred(files)),
        zipped([File("x.zip", zipped(files))]),
    ):
        identity = identity_of_archive(str(written(tmp_path / "archive", content)))
        assert identity is not None
        assert identity.study_uid == "2.25.7"


def test_an_archive_without_dicom_files_belongs_to_no_study(tmp_path: Path) -> None:
    for content in (zipped([File("notes.txt", b"text")]), zipped([])):
        assert identity_of_archive(str(written(tmp_path / "a.zip", content))) is None
