"""Tar archives are read in every format; malicious and damaged ones are refused."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from archive_builder import contents, passed_over, refusal, tarred, written
from dicom_builder import File

FILES = [File("a.dcm", b"first" * 1000), File("deep/b.dcm", b"second"), File("empty", b"")]


def archive_of(*members: tarfile.TarInfo, **options: int) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", **options) as archive:  # type: ignore[call-overload]
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return content.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info


def patched(archive: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite a field of the first header, and correct its checksum."""
    block = bytearray(archive[:512])
    block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + archive[512:]


SIZE, KIND = 124, 156


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_files_of_every_format_are_read(tmp_path: Path, format: int) -> None:
    path = written(tmp_path / "study.tar", tarred(FILES, format))
    assert contents(path) == dict(FILES)
    assert contents(path, 7) == {name: content[:7] for name, content in FILES}


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["long/" * 60 + "a.dcm", "Zoë 頭.dcm"])
def test_long_and_foreign_names_are_read(tmp_path: Path, format: int, name: str) -> None:
    path = written(tmp_path / "study.tar", tarred([File(name, b"content"), FILES[1]], format))
    assert contents(path) == {name: b"content", "deep/b.dcm": b"second"}


def test_a_name_is_split_into_two_fields_by_ustar(tmp_path: Path) -> None:
    name = "folder/" * 20 + "a.dcm"
    path = written(tmp_path / "study.tar", tarred([File(name, b"x")], tarfile.USTAR_FORMAT))
    assert contents(path) == {name: b"x"}


def test_an_archive_without_the_mark_of_posix_is_read(tmp_path: Path) -> None:
    """As tar wrote before 1988."""
    content = patched(tarred(FILES[:1], tarfile.USTAR_FORMAT), 257, bytes(8))
    assert contents(written(tmp_path / "study.tar", content)) == {"a.dcm": FILES[0].content}


def test_a_size_in_base_256_and_one_in_a_pax_header_are_read(tmp_path: Path) -> None:
    plain = tarred(FILES[:1], tarfile.USTAR_FORMAT)
    size = (0x80 << 88 | 5000).to_bytes(12, "big")
    assert contents(written(tmp_path / "a.tar", patched(plain, SIZE, size))) == dict(FILES[:1])
    info = member("a.dcm", size=5000)
    info.pax_headers = {"size": "5000"}
    pax = archive_of(info, format=tarfile.PAX_FORMAT)
    zeroed = pax[:1024] + patched(pax[1024:], SIZE, b"00000000000\0")
    assert contents(written(tmp_path / "b.tar", zeroed)) == {"a.dcm": bytes(5000)}


def test_folders_and_hidden_files_are_left_out_silently(tmp_path: Path) -> None:
    names = [File("._a.dcm", b"\0\5\26\7"), File("x/.DS_Store", b"store"), FILES[1]]
    path = written(tmp_path / "study.tar", tarred(names))
    assert contents(path) == {"deep/b.dcm": b"second"}
    folder = written(tmp_path / "folder.tar", archive_of(member("x/", tarfile.DIRTYPE)))
    assert contents(folder) == passed_over(folder) == {}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "a link in a tar archive"),
        (tarfile.LNKTYPE, "a link in a tar archive"),
        (tarfile.FIFOTYPE, "not an ordinary file in a tar archive"),
        (tarfile.CHRTYPE, "not an ordinary file in a tar archive"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file in a tar archive"),
    ],
)
def test_links_devices_and_sparse_files_are_passed_over_by_name(
    tmp_path: Path, kind: bytes, reason: str
) -> None:
    content = archive_of(member("../../etc/passwd", kind), member("a.dcm", size=700))
    path = written(tmp_path / "study.tar", content)
    assert contents(path) == {"a.dcm": bytes(700)}
    assert passed_over(path) == {"passwd": reason}


def test_a_sparse_file_of_a_pax_archive_is_passed_over(tmp_path: Path) -> None:
    info = member("a.dcm", size=1024)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "a.dcm"}
    path = written(tmp_path / "study.tar", archive_of(info, format=tarfile.PAX_FORMAT))
    assert contents(path) == {}
    assert passed_over(path) == {"a.dcm": "a sparse file in a tar archive"}


@pytest.mark.parametrize("length", [100, 512, 4000, 6656])
def test_a_cut_off_archive_is_refused(tmp_path: Path, length: int) -> None:
    """At 6656 bytes all files are there, but not the mark that there are no more."""
    content = tarred(FILES[:2], tarfile.USTAR_FORMAT)[:length]
    error = refusal(written(tmp_path / "study.tar", content))
    assert error.code == "ARCHIVE_DAMAGED"
    assert "'study.tar' is damaged or incomplete" in error.what


@pytest.mark.parametrize(
    "size",
    [b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"-0000000512\0", b"0000000zz00\0"],
    ids=["8 GB", "2**88", "negative in base 256", "negative", "no number"],
)
def test_a_false_size_is_refused_before_anything_is_read(tmp_path: Path, size: bytes) -> None:
    path = written(tmp_path / "study.tar", patched(tarred(FILES), SIZE, size))
    tracemalloc.start()
    assert refusal(path).code == "ARCHIVE_DAMAGED"
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "records",
    [b"0 path=a\n", b"9999999999 path=a\n", b"12 path=abcd", b"x path=a\n", b"5 a=\n" + b"1" * 400],
)
def test_a_damaged_pax_header_is_refused(tmp_path: Path, records: bytes) -> None:
    header = archive_of(member("pax", size=len(records)))[:512]
    content = patched(header, KIND, b"x") + records.ljust(512, b"\0") + tarred(FILES)
    assert refusal(written(tmp_path / "study.tar", content)).code == "ARCHIVE_DAMAGED"


def test_a_huge_extended_header_is_refused(tmp_path: Path) -> None:
    content = patched(archive_of(member("name", size=2**21)), KIND, b"L")
    assert refusal(written(tmp_path / "study.tar", content)).code == "ARCHIVE_DAMAGED"


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    content = bytearray(tarred(FILES, tarfile.USTAR_FORMAT))
    content[512 + 5120 + 3] ^= 1  # in the name of the second file
    assert refusal(written(tmp_path / "study.tar", bytes(content))).code == "ARCHIVE_DAMAGED"


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_FILES", 9)
    folders = archive_of(*(member(f"{number}/", tarfile.DIRTYPE) for number in range(10)))
    assert refusal(written(tmp_path / "study.tar", folders)).code == "STUDY_TOO_LARGE"
