"""The size of compressed images is read from their own headers."""

from __future__ import annotations

import struct

import pytest

from mimir_engine.study.jpeg_size import jpeg_sizes

OFFSETS = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def encapsulated(*streams: bytes) -> bytes:
    items = (struct.pack("<HHI", 0xFFFE, 0xE000, len(stream)) + stream for stream in streams)
    return OFFSETS + b"".join(items) + END


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def jpeg(marker: int, rows: int, columns: int, before: bytes = b"") -> bytes:
    frame = segment(marker, struct.pack(">BHHB", 12, rows, columns, 1))
    return b"\xff\xd8" + before + frame + segment(0xDA, b"") + b"\1\2\xff\xd9"


def jpeg_2000(rows: int, columns: int, left: int = 0, top: int = 0) -> bytes:
    size = struct.pack(">H4I", 0, columns + left, rows + top, left, top)
    return b"\xff\x4f" + segment(0x51, size)


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC3, 0xF7])
@pytest.mark.parametrize(
    "before",
    [b"", segment(0xE0, b"JFIF"), segment(0xC4, b"\0" * 30), b"\xff\xff", segment(0xE8, b"\xc3")],
    ids=["frame first", "application", "Huffman table", "fill bytes", "look-alike"],
)
def test_the_size_of_a_jpeg_stream(marker: int, before: bytes) -> None:
    assert [*jpeg_sizes(encapsulated(jpeg(marker, 48, 40, before)))] == [(48, 40)]


@pytest.mark.parametrize(("left", "top"), [(0, 0), (3, 5)])
def test_the_size_of_a_jpeg_2000_stream(left: int, top: int) -> None:
    assert [*jpeg_sizes(encapsulated(jpeg_2000(48, 40, left, top)))] == [(48, 40)]


def test_all_frames_are_looked_at_and_fragments_that_continue_one_are_not() -> None:
    value = encapsulated(jpeg(0xC3, 48, 40), b"\1\2\3\4", jpeg(0xC3, 48, 36), jpeg_2000(4, 3))
    assert [*jpeg_sizes(value)] == [(48, 40), (48, 36), (4, 3)]


@pytest.mark.parametrize(
    "stream",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8" + segment(0xDA, b""),
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xc0\0\4\1",
        b"\xff\x4f\xff\x51\0\4",
        b"\xff\xd8\xff\xe0\0\2no marker",
    ],
)
def test_a_damaged_header_tells_no_size(stream: bytes) -> None:
    value = OFFSETS + struct.pack("<HHI", 0xFFFE, 0xE000, len(stream)) + stream
    assert [*jpeg_sizes(value)] == [None]


@pytest.mark.parametrize("value", [b"", b"\xfe\xff", OFFSETS, encapsulated(b"\2\0\0\0" * 16)])
def test_other_values_have_no_streams(value: bytes) -> None:
    assert [*jpeg_sizes(value)] == []
