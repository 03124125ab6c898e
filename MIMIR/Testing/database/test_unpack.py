"""Zip archives to folders of DICOM files."""

from __future__ import annotations

import shutil
import zipfile
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from mimir_engine import MimirError
from MIMIRLib.database.unpack import unpack
from MIMIRLib.job import Work

DICOM = bytes(128) + b"DICM" + b"rest of the file"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "unpacked"
    path.mkdir()
    return path


def archive_of(place: Path, files: dict[str, bytes]) -> Path:
    path = place / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_dicom_files_get_numbers_for_names_and_others_are_left_out(
    tmp_path: Path, folder: Path
) -> None:
    files = {"x.dcm": DICOM, "manifest.csv": b"filename", "sub/": b"", "sub/y": DICOM + b"2"}
    list(unpack(archive_of(tmp_path, files), folder))
    assert names(folder) == ["000001.dcm", "000002.dcm"]
    assert (folder / "000002.dcm").read_bytes() == DICOM + b"2"


def test_files_that_are_no_dicom_are_counted_apart_from_lists(tmp_path: Path, folder: Path) -> None:
    files = {"1": DICOM, "notes.txt": b"text", "x/Manifest.csv": b"list", "DICOMDIR": b"list"}
    counted = []

    def count() -> Work:
        counted.append((yield from unpack(archive_of(tmp_path, files), folder)))

    list(count())
    assert counted == [1]


def test_hostile_names_stay_within_the_folder(tmp_path: Path, folder: Path) -> None:
    hostile = ("../../evil.dcm", "/evil.dcm", "C:\\evil.dcm", "a" * 5000 + ".dcm")
    list(unpack(archive_of(tmp_path, dict.fromkeys(hostile, DICOM)), folder))
    assert names(folder) == [f"{number:06d}.dcm" for number in range(1, 5)]
    assert names(tmp_path) == sorted([*names(folder), "study.zip", "unpacked"])


def test_progress_grows_to_one(tmp_path: Path, folder: Path) -> None:
    archive = archive_of(tmp_path, {f"{i}": DICOM * i for i in range(1, 9)})
    fractions = [progress.fraction for progress in unpack(archive, folder)]
    assert fractions == sorted(fractions)
    assert len(fractions) == 8
    assert fractions[-1] == 1.0


def test_cancelled_half_way_it_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    archive = archive_of(tmp_path, {f"{i}": DICOM for i in range(9)})
    with closing(unpack(archive, folder)) as work:
        next(work)
        next(work)
        assert len(names(folder)) == 2
    assert names(folder) == []


def test_a_damaged_entry_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    archive = archive_of(tmp_path, {"1": DICOM, "2": DICOM + bytes(range(256)) * 40})
    content = bytearray(archive.read_bytes())
    place = content.rindex(b"PK\3\4") + 60
    content[place] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(MimirError) as raised:
        list(unpack(archive, folder))
    assert raised.value.code == "ZIP_DAMAGED"
    assert names(folder) == []


def test_an_archive_without_dicom_files_is_an_error(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(MimirError, match=r"study\.zip") as raised:
        list(unpack(archive_of(tmp_path, {"manifest.csv": b"filename"}), folder))
    assert raised.value.code == "NO_DICOM"


def test_another_file_than_an_archive_is_an_error(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "study.zip"
    path.write_bytes(DICOM[:100])
    with pytest.raises(MimirError) as raised:
        list(unpack(path, folder))
    assert raised.value.code == "NOT_A_ZIP"


def test_a_full_disk_is_reported_before_anything_is_written(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1))
    with pytest.raises(MimirError, match="too little disk space") as raised:
        list(unpack(archive_of(tmp_path, {"1": DICOM}), folder))
    assert raised.value.code == "DISK_FULL"
    assert names(folder) == []


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="cannot be written to") as raised:
        list(unpack(archive_of(tmp_path, {"1": DICOM}), tmp_path / "gone"))
    assert raised.value.code == "FOLDER_UNWRITABLE"
