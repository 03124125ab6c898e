"""A deflate stream takes no more memory than what is asked for."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from archive_builder import zipped
from dicom_builder import File
from limited_memory import peak_megabytes

from mimir_engine.errors import MimirError
from mimir_engine.source.inflate import inflate
from mimir_engine.source.open_source import open_source


def deflated(content: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


def test_content_of_many_pieces_is_inflated_exactly() -> None:
    content = bytes(range(256)) * 2**14
    stream = deflated(content)
    assert inflate(io.BytesIO(stream), len(stream), 2**30) == content
    assert inflate(io.BytesIO(stream), len(stream), 3_000_000) == content[:3_000_000]
    assert inflate(io.BytesIO(stream + b"more"), len(stream), 2**30, b"front") == b"front" + content


def test_a_stream_that_is_cut_off_is_refused() -> None:
    stream = deflated(bytes(range(256)) * 2**14)
    with pytest.raises(zlib.error):
        inflate(io.BytesIO(stream), len(stream) // 2, 2**30)


def test_a_large_content_lies_in_memory_once() -> None:
    stream = deflated(bytes(2**26))
    assert peak_megabytes(lambda: inflate(io.BytesIO(stream), len(stream), 2**30)) < 80


def test_the_beginning_of_an_entry_is_inflated_no_further(tmp_path: Path) -> None:
    """Empty blocks in front of 64 MB: the first kilobytes of the stream hold nothing."""
    empty, bomb = b"\x00\x00\x00\xff\xff" * 2000, deflated(bytes(2**26))
    archive = zipped([File("a.dcm", bytes(2**26))])
    start = archive.index(bomb)
    end = archive.index(b"PK\1\2")
    padded = archive[:start] + empty + archive[start:end]
    directory = bytearray(archive[end:])
    struct.pack_into("<I", directory, 20, len(bomb) + len(empty))
    closing = directory.index(b"PK\5\6")
    struct.pack_into("<I", directory, closing + 16, len(padded))
    (tmp_path / "a.zip").write_bytes(padded + directory)

    def read() -> None:
        with open_source(tmp_path / "a.zip") as files:
            assert files.entries[0].read(2048) == bytes(2048)

    assert peak_megabytes(read) < 2


def test_a_longer_name_in_a_tar_archive_is_cut(tmp_path: Path) -> None:
    from archive_builder import tarred

    path = tmp_path / "a.tar"
    path.write_bytes(tarred([File("x" * 500_000, b"1")]))
    with open_source(path) as files:
        assert files.entries[0].name == "x" * 4096


@pytest.mark.parametrize("name", ["a", "folder/", "._hidden"])
def test_all_entries_of_a_zip_directory_count_before_it_is_listed(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attacks import many_entries

    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_FILES", 20_000)
    path = tmp_path / "a.zip"
    path.write_bytes(many_entries(20_001, name.encode(), declared=1))

    def listed() -> None:
        with pytest.raises(MimirError, match="STUDY_TOO_LARGE"), open_source(path):
            pass

    assert peak_megabytes(listed) < 4
