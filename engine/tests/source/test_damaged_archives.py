"""No damage to an archive of any kind crashes the reader or keeps it busy."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_builder import contents, tarred, written, zipped
from dicom_builder import File
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_engine.errors import MimirError
from mimir_engine.headers.study_identity import identity_of_archive

IMAGE = bytes(128) + b"DICM" + bytes(range(256)) * 4
FILES = [File("folder/" * 20 + "a.dcm", IMAGE), File("b.dcm", IMAGE[:700]), File("c", b"")]
ARCHIVES = {
    "zip.zip": zipped([File("1.zip", zipped(FILES)), *FILES]),
    "pax.tar": tarred(FILES, tarfile.PAX_FORMAT),
    "gnu.tar": tarred(FILES, tarfile.GNU_FORMAT),
    "tar.tgz": gzip.compress(tarred(FILES)),
    "image.gz": gzip.compress(IMAGE),
}
often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


#: What a damaged archive may be refused with.
CODES = (
    *("NOT_A_ZIP", "ZIP_DAMAGED", "ZIP_METHOD", "ZIP_ENCRYPTED", "ARCHIVE_DAMAGED"),
    *("FILE_TOO_LARGE", "STUDY_TOO_LARGE"),
)


def refused(read: Callable[[], object]) -> str:
    """Return the code of the error that reading raises; empty if it raises none."""
    try:
        read()
    except MimirError as error:
        return error.code
    return ""


@pytest.mark.parametrize("name", ARCHIVES)
@often
@given(data=st.data())
def test_no_damage_crashes_the_reader(tmp_path: Path, name: str, data: st.DataObject) -> None:
    content = bytearray(ARCHIVES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(
            st.sampled_from([b"\xff" * 4, b"\0" * 9, b"7" * 12, b"-1 ", b"\x80", b"L"])
        )
        content[at : at + len(piece)] = piece
    if data.draw(st.integers(0, 4)) == 0:
        del content[data.draw(st.integers(0, len(content))) :]
    path = written(tmp_path / name, bytes(content))
    assert refused(lambda: contents(path)) in {"", *CODES}
    assert refused(lambda: identity_of_archive(str(path))) in {"", *CODES}


@pytest.mark.parametrize("field", [slice(124, 136), slice(156, 157), slice(0, 100)])
@often
@given(data=st.data())
def test_no_header_of_a_tar_archive_crashes_the_reader(
    tmp_path: Path, field: slice, data: st.DataObject
) -> None:
    """The checksum is corrected, so that the header counts."""
    content = bytearray(tarred(FILES, tarfile.GNU_FORMAT))
    header = 512 * data.draw(st.sampled_from([0, 2, 3, 7]))
    size = field.stop - field.start
    value = data.draw(st.binary(min_size=size, max_size=size))
    content[header + field.start : header + field.stop] = value
    content[header + 148 : header + 156] = b" " * 8
    checksum = b"%06o\0 " % sum(content[header : header + 512])
    content[header + 148 : header + 156] = checksum
    path = written(tmp_path / "study.tar", bytes(content))
    assert refused(lambda: contents(path)) in ("", "ARCHIVE_DAMAGED")


def test_the_undamaged_archives_of_these_tests_are_read(tmp_path: Path) -> None:
    for name, content in ARCHIVES.items():
        assert IMAGE in contents(written(tmp_path / name, content)).values()
