"""Every kind of source is read, and every malicious one is refused."""

from __future__ import annotations

import os
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from archive_builder import contents, passed_over, refusal, tarred, written, zipped
from dicom_builder import File, write_files, write_zip

from mimir_engine.errors import MAX_CHARACTERS, MimirError
from mimir_engine.source.open_source import (
    MAX_FILE_BYTES,
    StudySource,
    check_study_size,
    open_source,
)
from mimir_engine.study.finding import Finding

FILES = [File("a.dcm", b"first" * 1000), File("deep/b.dcm", b"second"), File("empty", b"")]


def code(source: StudySource) -> str:
    return refusal(source).code


def patched(path: Path, name: str, offset: int, form: str, *values: int) -> Path:
    """Overwrite bytes of an entry in the central directory of an archive."""
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02", 0, data.rfind(name.encode()))
    struct.pack_into(form, data, entry + offset, *values)
    path.write_bytes(data)
    return path


FLAGS, METHOD, CRC, COMPRESSED_SIZE, SIZE, LOCAL_HEADER = 8, 10, 16, 20, 24, 42


# ------------------------------------------------------------------ folders and lists


def test_a_folder_is_searched_recursively(tmp_path: Path) -> None:
    write_files(tmp_path / "deep" / "deeper", [FILES[1]._replace(name="b.dcm")])
    write_files(tmp_path, [FILES[0]])
    assert contents(tmp_path) == {"a.dcm": FILES[0].content, "b.dcm": b"second"}
    assert contents(str(tmp_path)) == contents(tmp_path)


def test_a_list_of_files_and_a_single_file_are_read(tmp_path: Path) -> None:
    paths = write_files(tmp_path, [FILES[0], FILES[2]])
    assert contents(paths) == {"a.dcm": FILES[0].content, "empty": b""}
    assert contents([str(path) for path in paths]) == contents(paths)
    assert contents(paths[0]) == {"a.dcm": FILES[0].content}
    assert contents(paths, 3) == {"a.dcm": b"fir", "empty": b""}


def test_a_folder_may_be_named_like_an_archive(tmp_path: Path) -> None:
    write_files(tmp_path / "study.zip", [FILES[0]])
    assert list(contents(tmp_path / "study.zip")) == ["a.dcm"]


def test_empty_folders_and_lists_have_no_entries(tmp_path: Path) -> None:
    assert contents(tmp_path) == contents([]) == {}


def test_links_to_files_are_followed_and_dangling_ones_refused(tmp_path: Path) -> None:
    write_files(tmp_path / "store", [FILES[0]])
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "link.dcm").symlink_to(tmp_path / "store" / "a.dcm")
    assert contents(tmp_path / "study") == {"link.dcm": FILES[0].content}
    (tmp_path / "study" / "lost.dcm").symlink_to(tmp_path / "nowhere")
    assert code(tmp_path / "study") == "FILE_UNREADABLE"
    assert "'lost.dcm'" in refusal(tmp_path / "study" / "lost.dcm").what


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    for source in (tmp_path, [tmp_path / "pipe.dcm"], tmp_path / "pipe.dcm"):
        assert code(source) == "FILE_UNREADABLE"
    os.mkfifo(tmp_path / "study.zip")
    assert code(tmp_path / "study.zip") == "FILE_UNREADABLE"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.skipif(getattr(os, "getuid", lambda: 1)() == 0, reason="root may read everything")
def test_files_without_permission_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    write_files(folder, [FILES[0]])
    (folder / "a.dcm").chmod(0)
    assert code(tmp_path) == "FILE_UNREADABLE"
    folder.chmod(0)
    assert code(tmp_path) == "FILE_UNREADABLE"
    folder.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("name", ["missing.zip", "missing", "file.txt/below", "null\0byte"])
def test_a_missing_source_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("no folder")
    assert code(str(tmp_path / name)) == "SOURCE_MISSING"
    assert code([str(tmp_path / name)]) == "FILE_UNREADABLE"


def test_a_name_too_long_for_the_file_system_is_refused(tmp_path: Path) -> None:
    assert code(tmp_path / ("x" * 5000)) == "FILE_UNREADABLE"
    assert code([tmp_path / ("x" * 5000)]) == "FILE_UNREADABLE"


def test_a_file_that_disappears_is_refused(tmp_path: Path) -> None:
    (path,) = write_files(tmp_path, [FILES[0]])
    with open_source([path]) as files:
        (entry,) = files.entries
        path.unlink()
        with pytest.raises(MimirError, match="FILE_UNREADABLE"):
            entry.read(-1)


# ------------------------------------------------------------------ archives


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_deflated_entries_are_read(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "study.zip", FILES, method)
    assert contents(path) == dict(FILES)
    assert contents(path, 7) == {name: content[:7] for name, content in FILES}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(tmp_path: Path, method: int) -> None:
    pytest.importorskip("bz2" if method == zipfile.ZIP_BZIP2 else "lzma")
    assert code(write_zip(tmp_path / "study.zip", FILES, method)) == "ZIP_METHOD"


def test_zip64_directories_comments_and_a_prefix_are_read(tmp_path: Path) -> None:
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment " * 99
        archive.writestr("folder/", b"")
        with archive.open("folder/a.dcm", "w", force_zip64=True) as entry:
            entry.write(b"content" * 500)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert contents(path) == {"folder/a.dcm": b"content" * 500}


def test_an_archive_written_to_a_stream_is_read(tmp_path: Path) -> None:
    """Sizes and checksums follow the data."""

    class Unseekable:
        def __init__(self, path: Path) -> None:
            self.file = path.open("wb")

        def write(self, data: bytes) -> int:
            return self.file.write(data)

        def flush(self) -> None:
            self.file.flush()

    stream = Unseekable(tmp_path / "study.zip")
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a.dcm", b"content" * 500)
    stream.file.close()
    assert contents(tmp_path / "study.zip") == {"a.dcm": b"content" * 500}


def test_no_byte_is_lost_if_a_deflate_stream_begins_with_padding(tmp_path: Path) -> None:
    import zlib

    path = write_zip(tmp_path / "study.zip", [File("a.dcm", b"x" * 50)], zipfile.ZIP_STORED)
    deflater = zlib.compressobj(wbits=-15)
    padding = b"".join(deflater.flush(zlib.Z_FULL_FLUSH) for _ in range(1000))
    stream = padding + b"\0\0\0\xff\xff" * 1000 + deflater.compress(b"x" * 50) + deflater.flush()
    data = path.read_bytes().replace(b"x" * 50, stream)
    path.write_bytes(data)
    patched(path, "a.dcm", METHOD, "<H", zipfile.ZIP_DEFLATED)
    patched(path, "a.dcm", COMPRESSED_SIZE, "<I", len(stream))
    end = bytearray(path.read_bytes())
    at = end.rfind(b"PK\x05\x06")
    struct.pack_into("<I", end, at + 16, end.rfind(b"PK\x01\x02"))
    path.write_bytes(end)
    assert contents(path) == {"a.dcm": b"x" * 50}
    assert contents(path, 20) == {"a.dcm": b"x" * 20}


@pytest.mark.parametrize(
    "name", ["../../evil.dcm", "/evil.dcm", "C:\\evil.dcm", "..\\evil.dcm", "CON", "a/../../b.dcm"]
)
def test_malicious_names_are_read_in_memory_only(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = write_zip(folder / "study.zip", [File(name, b"content")])
    before = sorted(tmp_path.rglob("*"))
    assert list(contents(path).values()) == [b"content"]
    assert sorted(tmp_path.rglob("*")) == before


def test_an_entry_without_a_name_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "study.zip", [File("a.dcm", b"content")])
    path.write_bytes(path.read_bytes().replace(b"a.dcm", b"\0.dcm"))
    assert contents(path) == {"": b"content"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_entries_with_the_same_name_are_all_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "study.zip", [File("a", b"one"), File("a", b"two")])
    with open_source(path) as files:
        assert [entry.read(-1) for entry in files.entries] == [b"one", b"two"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"no archive at all" * 99,
        b"PK\x05\x06" + b"\xff" * 18,
        b"PK\x03\x04" + bytes(99),
    ],
    ids=["empty", "tiny", "text", "implausible directory", "no directory"],
)
def test_files_that_are_not_archives_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.zip"
    path.write_bytes(content)
    assert code(path) == "NOT_A_ZIP"


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "study.zip", FILES)
    path.write_bytes(path.read_bytes()[:-30])
    assert code(path) == "NOT_A_ZIP"


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    assert (
        code(patched(write_zip(tmp_path / "z", FILES), "a.dcm", FLAGS, "<H", 1)) == "ZIP_ENCRYPTED"
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [
        (CRC, "<I", 1),
        (SIZE, "<I", 4999),
        (SIZE, "<I", 5001),
        (SIZE, "<I", 1),
        (COMPRESSED_SIZE, "<I", 3),
        (COMPRESSED_SIZE, "<I", 0xFFFFFFF0),
        (LOCAL_HEADER, "<I", 1),
        (LOCAL_HEADER, "<I", 0x7FFFFFFF),
    ],
)
def test_false_values_in_the_directory_are_detected(
    tmp_path: Path, method: int, offset: int, form: str, value: int
) -> None:
    path = write_zip(tmp_path / "study.zip", FILES, method)
    patched(path, "a.dcm", offset, form, value)
    if (method, offset, value) == (zipfile.ZIP_DEFLATED, COMPRESSED_SIZE, 0xFFFFFFF0):
        assert contents(path) == dict(FILES)  # the stream itself has an end mark
    else:
        assert code(path) in ("ZIP_DAMAGED", "NOT_A_ZIP")


@pytest.mark.parametrize("position", [5, 20, 40])
def test_damaged_bytes_are_detected(tmp_path: Path, position: int) -> None:
    path = write_zip(tmp_path / "study.zip", [File("a.dcm", os.urandom(50))], zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[30 + len("a.dcm") + position] ^= 0x10
    path.write_bytes(data)
    assert code(path) == "ZIP_DAMAGED"


def peak_bytes(source: Path) -> int:
    tracemalloc.start()
    try:
        code(source)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_with_its_true_size_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", [File("bomb.dcm", bytes(2**23))])
    patched(path, "bomb.dcm", SIZE, "<I", MAX_FILE_BYTES + 1)
    assert code(path) == "FILE_TOO_LARGE"
    assert peak_bytes(path) < 2**20


def test_a_bomb_with_a_false_size_is_inflated_only_to_that_size(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", [File("bomb.dcm", bytes(2**23))])
    patched(path, "bomb.dcm", SIZE, "<I", 5000)
    assert code(path) == "ZIP_DAMAGED"
    assert peak_bytes(path) < 2**20


def test_overlapping_entries_are_counted_by_what_they_declare(tmp_path: Path) -> None:
    """Many directory entries of one stream: small on disk, huge when inflated."""
    path = write_zip(tmp_path / "bomb.zip", [File("x", bytes(2**22))])
    patched(path, "x", SIZE, "<I", 2**27)
    data = path.read_bytes()
    begin, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    entries = data[begin:end] * 40
    closing = bytearray(data[end:])
    struct.pack_into("<HHI", closing, 8, 40, 40, len(entries))
    path.write_bytes(data[:begin] + entries + closing)
    with open_source(path) as files, pytest.raises(MimirError, match="STUDY_TOO_LARGE"):
        check_study_size(files.entries)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_FILES", 9)
    (path,) = write_files(tmp_path, [FILES[2]])
    assert contents([path] * 9) == {"empty": b""}
    assert code([path] * 10) == "STUDY_TOO_LARGE"


# ------------------------------------------------------------------ archives among files


def nested(depth: int, name: str = "a.dcm") -> bytes:
    """A file in so many zip archives."""
    content = b"content"
    for level in range(depth):
        content = zipped([File(f"{level}.zip" if level else name, content)])
    return content


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_inside_an_archive_are_read(tmp_path: Path, method: int) -> None:
    inner = [File("1.zip", zipped(FILES[:2])), File("x/2.tar", tarred(FILES[2:])), File("c", b"c")]
    path = write_zip(tmp_path / "study.zip", inner, method)
    with open_source(path) as files:
        assert [entry.name for entry in files.entries] == ["1.zip", "x/2.tar", "c"]
    assert contents(path) == {**dict(FILES), "c": b"c"}


def test_archives_beside_files_are_read(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / "study" / "1.zip", zipped(FILES[:2])),
        written(tmp_path / "study" / "2.tar", tarred(FILES[2:])),
        written(tmp_path / "study" / "c.dcm", b"c"),
    ]
    assert contents(tmp_path / "study") == contents(paths) == {**dict(FILES), "c.dcm": b"c"}
    assert contents([tmp_path / "study"]) == contents(paths)


def test_an_archive_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    assert contents(written(tmp_path / "study", zipped(FILES))) == dict(FILES)
    assert contents(written(tmp_path / "study.zip", tarred(FILES))) == dict(FILES)


def test_a_dicom_file_of_any_name_is_read(tmp_path: Path) -> None:
    content = bytes(128) + b"DICM" + b"content"
    for name in ("IM00001", "image.IMA", "study.zip"):
        assert contents(written(tmp_path / name, content)) == {name: content}


def test_archives_too_deep_inside_each_other_are_passed_over(tmp_path: Path) -> None:
    assert contents(written(tmp_path / "3.zip", nested(4))) == {"a.dcm": b"content"}
    path = written(tmp_path / "4.zip", nested(5))
    assert contents(path) == {}
    assert passed_over(path) == {"1.zip": "an archive inside 3 others, which is not opened"}


def test_an_archive_of_another_kind_is_refused_with_its_kind(tmp_path: Path) -> None:
    content = b"7z\xbc\xaf\x27\x1c" + bytes(99)
    error = refusal(written(tmp_path / "study.7z", content))
    assert error.code == "ARCHIVE_UNSUPPORTED"
    assert "'study.7z' is a 7z archive" in error.what
    (tmp_path / "study.7z").rename(tmp_path / "study.zip")
    assert refusal(tmp_path / "study.zip").code == "ARCHIVE_UNSUPPORTED"


def test_an_archive_of_another_kind_is_passed_over_beside_files(tmp_path: Path) -> None:
    written(tmp_path / "study" / "a.dcm", b"content")
    written(tmp_path / "study" / "b.rar", b"Rar!\x1a\x07\0" + bytes(99))
    assert contents(tmp_path / "study") == {"a.dcm": b"content"}
    assert passed_over(tmp_path / "study") == {"b.rar": "a RAR archive, which is not opened"}


def test_another_file_is_refused_with_its_kind(tmp_path: Path) -> None:
    error = refusal(written(tmp_path / "report", b"%PDF-1.4"))
    assert (error.code, error.what) == ("NOT_A_ZIP", "'report' is a PDF document")
    error = refusal(written(tmp_path / "notes.txt", b"text"))
    assert error.what == "'notes.txt' is neither an archive nor a DICOM file"


def test_a_damaged_archive_among_files_is_refused_by_its_name(tmp_path: Path) -> None:
    written(tmp_path / "study" / "a.dcm", b"content")
    written(tmp_path / "study" / "b.zip", zipped(FILES)[:-30])
    error = refusal(tmp_path / "study")
    assert (error.code, error.what) == ("NOT_A_ZIP", "'b.zip' is not a complete zip archive")
    error = refusal(write_zip(tmp_path / "outer.zip", [File("b.zip", zipped(FILES)[:-30])]))
    assert (error.code, error.what) == ("NOT_A_ZIP", "'b.zip' is not a complete zip archive")


def test_hidden_entries_are_left_out(tmp_path: Path) -> None:
    hidden = [File("__MACOSX/a.dcm", b"1"), File("x/._a.dcm", b""), File("x/._b.zip", b"")]
    path = write_zip(tmp_path / "study.zip", [*FILES, *hidden, File("x\\Thumbs.db", b"2")])
    assert contents(path) == dict(FILES)


def test_folders_that_end_in_a_backslash_are_no_files(tmp_path: Path) -> None:
    names = [File("Study\\", b""), File("Study\\W\\", b""), File("Study\\a.dcm", b"content")]
    assert list(contents(write_zip(tmp_path / "study.zip", names)).values()) == [b"content"]


# ------------------------------------------------------------------ limits


def test_a_large_file_that_is_not_read_in_full_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.source.entry.MAX_FILE_BYTES", 4000)
    written(tmp_path / "study" / "cine.dcm", FILES[0].content)
    for source in (tmp_path / "study", write_zip(tmp_path / "study.zip", FILES[:1])):
        with open_source(source) as files:
            ((entry, first),) = files.with_first_bytes()
            assert first == FILES[0].content[:2048]
            with pytest.raises(MimirError, match=r"FILE_TOO_LARGE: '.*' has 0 MB"):
                entry.read(-1)


def test_files_are_not_opened_to_list_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, [FILES[0], FILES[2]])

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    with open_source(tmp_path) as files:
        assert [(entry.name, entry.size) for entry in files.entries] == [
            ("a.dcm", 5000),
            ("empty", 0),
        ]


@pytest.mark.parametrize("bomb", ["one", "many", "false size"])
def test_archives_in_memory_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: str
) -> None:
    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_HELD_BYTES", 2**20)
    half, large = (zipped([File("a", bytes(2**n))], zipfile.ZIP_STORED) for n in (19, 24))
    inner = {"one": [large], "many": [half] * 9, "false size": [large]}[bomb]
    files = [File(f"{number}.zip", content) for number, content in enumerate(inner)]
    path = write_zip(tmp_path / "study.zip", files)
    if bomb == "false size":
        patched(path, "0.zip", SIZE, "<I", 99)
    assert code(path) == ("ZIP_DAMAGED" if bomb == "false size" else "STUDY_TOO_LARGE")
    assert peak_bytes(path) < 2**22


def test_files_of_all_archives_are_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_FILES", 9)
    inner = zipped([File(str(number), b"") for number in range(4)])
    assert len(contents(write_zip(tmp_path / "a.zip", [File("1.zip", inner)]))) == 4
    two = [File("1.zip", inner), File("2.zip", inner)]
    assert code(write_zip(tmp_path / "b.zip", two)) == "STUDY_TOO_LARGE"


def test_an_archive_with_a_huge_directory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.source.zip_archive.MAX_DIRECTORY_BYTES", 2**17)
    files = [File(f"{number:01000d}", b"") for number in range(200)]
    assert code(write_zip(tmp_path / "study.zip", files)) == "STUDY_TOO_LARGE"


# ------------------------------------------------------------------ messages


@pytest.mark.parametrize(
    "name", ["line\nbreak\r", "\x1b[31mred\x1b[0m", "\u202egnirts", "bell\a", "x" * 60_000]
)
def test_names_in_messages_are_printable(tmp_path: Path, name: str) -> None:
    path = patched(write_zip(tmp_path / "z", [File(name, b"content")]), name[-3:], CRC, "<I", 1)
    with pytest.raises(MimirError) as raised:
        contents(path)
    line = str(raised.value)
    assert line.startswith("ZIP_DAMAGED: entry '")
    assert line.isprintable()
    assert len(line) < MAX_CHARACTERS + 100


def test_names_in_findings_are_printable() -> None:
    assert Finding("CODE", "series '\x1b[2J\nx'").sentence == "series '?[2J x'"


def test_undecodable_file_names_can_be_encoded() -> None:
    MimirError("CODE", "file '\udcff.dcm'").reason.encode("utf-8")
