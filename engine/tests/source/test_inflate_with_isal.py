"""With and without ISA-L, entries have the same content, and damaged ones the same error."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from limited_memory import peak_megabytes

from mimir_engine.errors import MimirError
from mimir_engine.source import inflate
from mimir_engine.source.open_source import open_source

pytest.importorskip("isal", reason="isal is not installed (extra 'fast')")

#: Noise and zeros, like a slice: 75 kB.
CONTENT = np.random.default_rng(1).integers(0, 60, 60_000, np.uint8).tobytes() + bytes(15_000)


def zipped(content: bytes = CONTENT, **fields: Any) -> bytes:
    """Pack one entry; ``fields`` of its directory entry (CRC, file_size) are replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", content)
        for name, value in fields.items():
            setattr(archive.infolist()[0], name, value)
    return file.getvalue()


def with_stream(stream: bytes, size: int, crc: int) -> bytes:
    """Pack one entry with a deflate stream as it is, and what is declared of it."""
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, crc, len(stream), size, 5, 0)
    local = b"PK\3\4" + fields + b"a.dcm" + stream
    listed = b"PK\1\2" + b"\x14\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a.dcm"
    return (
        local
        + listed
        + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(listed), len(local), 0)
    )


def deflated(content: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


def damaged_at(share: float) -> bytes:
    stream = bytearray(deflated(CONTENT))
    stream[int(share * len(stream))] ^= 0x55
    return with_stream(bytes(stream), len(CONTENT), zlib.crc32(CONTENT))


STREAM, CRC = deflated(CONTENT), zlib.crc32(CONTENT)
DAMAGED = {
    "wrong checksum": zipped(CRC=1),
    "cut off": with_stream(STREAM[:-9], len(CONTENT), CRC),
    "cut off within": with_stream(STREAM[: len(STREAM) // 2], len(CONTENT), CRC),
    "empty": with_stream(b"", len(CONTENT), CRC),
    "longer than declared": with_stream(STREAM, len(CONTENT) - 1, zlib.crc32(CONTENT[:-1])),
    "shorter than declared": with_stream(STREAM, len(CONTENT) + 1, CRC),
    "bomb": with_stream(deflated(bytes(2**28)), 75_000, zlib.crc32(bytes(75_000))),
    "small bomb": with_stream(deflated(bytes(60 * 2**20)), 75_000, zlib.crc32(bytes(75_000))),
    "no stream": with_stream(b"\xff" * 5000, len(CONTENT), CRC),
    **{f"damaged at {share}": damaged_at(share) for share in (0.01, 0.3, 0.6, 0.999)},
}


def read_entry(archive: bytes, folder: Path, count: int = -1) -> bytes:
    path = folder / "a.zip"
    path.write_bytes(archive)
    with open_source(path) as files:
        return files.entries[0].read(count)


@pytest.fixture(params=["with ISA-L", "without"])
def _either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(inflate, "isal", None)
    else:
        assert inflate.isal is not None


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_entry_is_refused_with_the_same_code(tmp_path: Path, damage: str) -> None:
    with pytest.raises(MimirError, match="ZIP_DAMAGED"):
        read_entry(DAMAGED[damage], tmp_path)


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("content", [b"", b"a", CONTENT, bytes(2**20 - 1), bytes(2**20 + 1)])
def test_an_entry_has_its_content(tmp_path: Path, content: bytes) -> None:
    assert read_entry(zipped(content), tmp_path) == content
    assert read_entry(zipped(content), tmp_path, 2048) == content[:2048]


@pytest.mark.usefixtures("_either")
def test_a_stream_with_bytes_behind_its_end_has_its_content(tmp_path: Path) -> None:
    assert read_entry(with_stream(STREAM + b"more", len(CONTENT), CRC), tmp_path) == CONTENT


@pytest.mark.usefixtures("_either")
@pytest.mark.parametrize("bomb", ["bomb", "small bomb"])
def test_an_entry_is_never_inflated_beyond_what_it_declares(tmp_path: Path, bomb: str) -> None:
    def refused() -> None:
        with pytest.raises(MimirError, match="ZIP_DAMAGED"):
            read_entry(DAMAGED[bomb], tmp_path)

    assert peak_megabytes(refused) < 3


def test_the_beginning_of_an_entry_is_the_same(tmp_path: Path, monkeypatch: Any) -> None:
    def beginnings() -> list[bytes]:
        return [outcome(lambda a=a: read_entry(a, tmp_path, 2048)) for a in DAMAGED.values()]

    def outcome(read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except MimirError as error:
            return error.code.encode()

    with_isal = beginnings()
    monkeypatch.setattr(inflate, "isal", None)
    assert beginnings() == with_isal


def test_isal_is_used_where_it_is_installed(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(inflate, "inflate_small", None)
    assert inflate.inflate_checked(STREAM, len(CONTENT), CRC) == CONTENT
