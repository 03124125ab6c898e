"""What an import reads, what it leaves out, and what it says."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from mimir_engine import MimirError
from MIMIRLib.database.import_sources import Rejected, import_sources, rejected_files
from MIMIRLib.database.import_summary import import_summary


def image(path: Path, uid: str) -> Path:
    """Write the header of an image."""
    header = Dataset()
    header.SOPInstanceUID = uid
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.preamble = bytes(128)
    header.save_as(path)
    return path


def database(path: Path, images: dict[str, Path]) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE Images (SOPInstanceUID TEXT, Filename TEXT)")
        rows = [(uid, file.as_posix()) for uid, file in images.items()]
        connection.executemany("INSERT INTO Images VALUES (?, ?)", rows)
    return path


def result_of(work: Generator[Any, None, Rejected]) -> Rejected:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def test_archives_in_folders_are_sources_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    archives = [tmp_path / "deep" / "er" / "a.ZIP", tmp_path / "deep" / "b.zip"]
    for archive in archives:
        archive.touch()
    (tmp_path / "deep" / ".hidden.zip").touch()
    (tmp_path / "deep" / "manifest.csv").touch()
    assert import_sources([tmp_path]) == sorted(archives, key=str)
    assert import_sources([tmp_path, archives[1]]) == sorted(archives, key=str)


def test_a_folder_with_other_files_is_a_source_too(tmp_path: Path) -> None:
    (tmp_path / "a.zip").touch()
    (tmp_path / "image").touch()
    assert import_sources([str(tmp_path)]) == [tmp_path, tmp_path / "a.zip"]


def test_an_empty_folder_and_a_missing_file_stay_sources(tmp_path: Path) -> None:
    paths = [tmp_path, tmp_path / "gone.zip"]
    assert import_sources(paths) == paths


def test_files_that_the_database_lacks_are_told_apart(tmp_path: Path) -> None:
    listed = image(tmp_path / "listed", "1.1")
    elsewhere = image(tmp_path / "elsewhere", "1.2")
    refused = image(tmp_path / "refused", "1.3")
    (tmp_path / "damaged").write_bytes(bytes(128) + b"DICM" + b"?" * 99)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "empty").touch()
    (tmp_path / "study.zip").touch()
    known = {"1.1": listed, "1.2": tmp_path / "copy" / "of it"}
    path = database(tmp_path / "database.sql", known)
    files = [listed, elsewhere, refused, *(tmp_path / n for n in ("damaged", "notes.txt", "empty"))]
    found = result_of(rejected_files([*files, tmp_path / "study.zip"], path))
    assert found == Rejected(others=2, damaged=2)


@pytest.mark.parametrize(
    ("counts", "rejected", "text"),
    [
        ((1, 1, 1328), Rejected(), "1 study with a Dixon scan added; 1328 images."),
        ((1, 0, 20), Rejected(), "1 study added, which has no Dixon scan; 20 images."),
        (
            (3, 2, 90),
            Rejected(3, 0),
            "3 studies added, 2 of them with a Dixon scan; 90 images."
            " 3 files were not read: they are not DICOM.",
        ),
        (
            (0, 0, 5),
            Rejected(1, 1),
            "5 images of known studies added. 1 file was not read: it is not DICOM."
            " 1 DICOM file was refused: it is damaged or incomplete.",
        ),
        (
            (0, 0, 0),
            Rejected(),
            "No new images were found. They may be in the database already.",
        ),
    ],
)
def test_the_outcome_is_some_short_sentences(
    counts: tuple[int, int, int], rejected: Rejected, text: str
) -> None:
    assert import_summary(*counts, rejected, ()) == text


def test_sources_that_fail_alike_share_a_sentence() -> None:
    errors = [
        (Path(f"{number}.zip"), MimirError("NOT_A_ZIP", f"{number}.zip is no archive", "Look."))
        for number in range(5)
    ]
    other = (Path("x.zip"), MimirError("ZIP_ENCRYPTED", "x.zip is encrypted", "Decrypt it."))
    text = import_summary(0, 0, 0, Rejected(), [*errors, other])
    assert text == (
        "5 sources were not imported (0.zip, 1.zip, 2.zip and 2 more)."
        " The first: NOT_A_ZIP: 0.zip is no archive. Look."
        " x.zip: ZIP_ENCRYPTED: x.zip is encrypted. Decrypt it."
    )
