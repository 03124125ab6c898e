"""A file is told by its first bytes, whatever its name."""

from __future__ import annotations

import bz2
import gzip

import pytest
from archive_builder import tarred, zipped
from dicom_builder import IMPLICIT, File, Scan, encoded

from mimir_engine.source.file_kind import DICOM, GZIP, OTHER, TAR, ZIP, file_kind

IMAGE = encoded(Scan().dataset("W", 0))
BARE = encoded(Scan().dataset("W", 0), IMPLICIT).split(IMPLICIT.encode())[1]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (IMAGE, DICOM),
        (IMAGE[132:], DICOM),
        (BARE[BARE.index(b"\x08\0\x05\0") :], DICOM),
        (zipped([File("a", IMAGE)]), ZIP),
        (zipped([]), ZIP),
        (gzip.compress(IMAGE), GZIP),
        (tarred([File("a", IMAGE)]), TAR),
        (b"", OTHER),
        (b"plain text " * 99, OTHER),
        (bytes(2000), OTHER),
    ],
    ids=["image", "meta", "bare", "zip", "empty zip", "gzip", "tar", "empty", "text", "zeros"],
)
@pytest.mark.parametrize("name", ["file", "a.b"])
def test_kinds_that_are_opened(content: bytes, kind: object, name: str) -> None:
    assert file_kind(name, content) is kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (bz2.compress(IMAGE), "a bzip2 file"),
        (bz2.compress(b""), "a bzip2 file"),
        (b"\xfd7zXZ\0", "an xz file"),
        (b"%PDF-1.4", "a PDF document"),
        (bytes(344) + b"n+1\0", "a NIfTI volume"),
    ],
)
def test_other_kinds_have_their_names(content: bytes, name: str) -> None:
    assert file_kind("file", content).name == name


def test_a_preamble_may_be_that_of_another_format() -> None:
    """The 128 bytes before DICM are free; some write a TIFF header there."""
    for magic in (b"II*\0", b"PK\3\4", b"\x1f\x8b\x08"):
        assert file_kind("file", magic.ljust(128, b"\0") + b"DICM") is DICOM


def test_a_document_that_is_a_zip_archive_is_no_archive() -> None:
    assert file_kind("report.DOCX", zipped([File("a", b"text")])) is OTHER


def test_the_name_decides_where_the_bytes_do_not() -> None:
    assert file_kind("damaged.ZIP", b"no archive") is ZIP
    assert file_kind("damaged.dcm", b"no image") is DICOM
