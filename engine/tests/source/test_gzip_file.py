"""Gzip files are inflated in memory, and never without limit."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest
from archive_builder import contents, passed_over, refusal, tarred, written, zipped
from dicom_builder import File

from mimir_engine.source.open_source import open_source

DICOM = bytes(128) + b"DICM" + bytes(range(256)) * 20
FILES = [File("a.dcm", DICOM), File("deep/b.dcm", DICOM[:900])]


def test_a_compressed_tar_archive_is_read(tmp_path: Path) -> None:
    for name in ("study.tar.gz", "study.tgz", "study"):
        path = written(tmp_path / name, gzip.compress(tarred(FILES)))
        assert contents(path) == dict(FILES)


def test_compressed_files_of_a_folder_are_read(tmp_path: Path) -> None:
    for name, content in FILES:
        written(tmp_path / f"{name}.gz", gzip.compress(content))
    assert contents(tmp_path) == {"a.dcm": DICOM, "b.dcm": DICOM[:900]}
    with open_source(tmp_path) as files:
        sizes = {entry.name: entry.size for entry, _ in files.with_first_bytes()}
    assert sizes == {"a.dcm": len(DICOM), "b.dcm": 900}


def test_a_compressed_file_may_have_several_parts(tmp_path: Path) -> None:
    content = gzip.compress(DICOM[:500]) + gzip.compress(DICOM[500:]) + bytes(100)
    assert contents(written(tmp_path / "a.dcm.gz", content)) == {"a.dcm": DICOM}


def test_a_plain_file_called_gz_is_read(tmp_path: Path) -> None:
    """Browsers inflate a download, and leave its name."""
    assert contents(written(tmp_path / "a.dcm.gz", DICOM)) == {"a.dcm.gz": DICOM}
    assert contents(written(tmp_path / "b.tar.gz", tarred(FILES))) == dict(FILES)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(DICOM)[:-1],
        gzip.compress(DICOM)[:-300],
        gzip.compress(DICOM)[:-8] + bytes(8),
        gzip.compress(DICOM) + b"more",
        gzip.compress(DICOM)[:12],
    ],
    ids=["one byte lost", "cut off", "false checksum", "something behind", "header alone"],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    error = refusal(written(tmp_path / "a.dcm.gz", content))
    assert error.code == "ARCHIVE_DAMAGED"
    assert "'a.dcm.gz'" in error.what


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path / "a.tgz", b"no archive")).code == "ARCHIVE_DAMAGED"
    assert refusal(written(tmp_path / "a.tar", b"no archive")).code == "ARCHIVE_DAMAGED"


def peak_bytes(path: Path) -> int:
    tracemalloc.start()
    try:
        refusal(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_is_inflated_only_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_HELD_BYTES", 2**20)
    monkeypatch.setattr("mimir_engine.source.gzip_file.MAX_FILE_BYTES", 2**20)
    monkeypatch.setattr("mimir_engine.source.entry.MAX_FILE_BYTES", 2**20)
    bomb = bytes(2**25)
    small_size = (5000).to_bytes(4, "little")
    of_tar = gzip.compress(tarred([File("a.dcm", DICOM + bomb)]))
    cases = {
        "single.gz": (gzip.compress(DICOM + bomb), "FILE_TOO_LARGE"),
        "archive.tar.gz": (of_tar, "STUDY_TOO_LARGE"),
        "false_size.tar.gz": (of_tar[:-4] + small_size, "STUDY_TOO_LARGE"),
    }
    for name, (content, code) in cases.items():
        path = written(tmp_path / name, content)
        assert refusal(path).code == code
        assert peak_bytes(path) < 2**24


def test_a_gzip_file_in_a_zip_archive_is_read(tmp_path: Path) -> None:
    inner = [File("a.dcm.gz", gzip.compress(DICOM)), File("b.tgz", gzip.compress(tarred(FILES)))]
    path = written(tmp_path / "study.zip", zipped(inner))
    assert contents(path) == dict(FILES)
    assert passed_over(path) == {}
