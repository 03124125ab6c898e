"""The headers of streams tell kind, size and bits; what does not fit is refused."""

from __future__ import annotations

import struct

import pytest

from mimir_engine.decoding.jpeg_2000_header import jpeg_2000_header
from mimir_engine.decoding.jpeg_header import MAX_MARKERS, jpeg_header
from mimir_engine.decoding.stream import StreamHeader, StreamRefused


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def jpeg(marker: int, before: bytes = b"", components: int = 1) -> bytes:
    frame = segment(marker, struct.pack(">BHHB", 12, 48, 40, components))
    return b"\xff\xd8" + before + frame + segment(0xDA, b"") + b"\1\2\xff\xd9"


def jpeg_2000(
    after: bytes = b"",
    *,
    offset: tuple[int, int] = (0, 0),
    tile: tuple[int, int] = (40, 48),
    components: int = 1,
    depth: int = 11,
    sampling: int = 1,
) -> bytes:
    sizes = (0, 40, 48, *offset, *tile, 0, 0, components, depth, sampling, 1)
    return b"\xff\x4f" + segment(0x51, struct.pack(">H8IH3B", *sizes)) + after


@pytest.mark.parametrize(
    ("marker", "kind"),
    [(0xC0, "JPEG"), (0xC1, "JPEG"), (0xC3, "lossless JPEG"), (0xF7, "JPEG-LS")],
)
@pytest.mark.parametrize(
    "before",
    [b"", segment(0xE0, b"JFIF"), segment(0xC4, b"\0" * 30), b"\xff\xff", segment(0xE8, b"\xc3")],
    ids=["frame first", "application", "Huffman table", "fill bytes", "look-alike"],
)
def test_the_header_of_a_jpeg_stream(marker: int, kind: str, before: bytes) -> None:
    assert jpeg_header(jpeg(marker, before)) == StreamHeader(kind, 48, 40, 12)


@pytest.mark.parametrize("depth", [11, 0x80 | 11])
def test_the_header_of_a_jpeg_2000_stream(depth: int) -> None:
    expected = StreamHeader("JPEG 2000", 48, 40, 12, depth > 0x80)
    assert jpeg_2000_header(jpeg_2000(depth=depth)) == expected


def test_capabilities_behind_the_size_tell_a_high_throughput_stream() -> None:
    header = jpeg_2000_header(jpeg_2000(segment(0x50, bytes(6))))
    assert header == StreamHeader("high-throughput JPEG 2000", 48, 40, 12)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8" + segment(0xDA, b""),
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xc0\0\4\1",
        b"\xff\xd8\xff\xe0\0\2no marker",
        jpeg(0xC0, components=3),
        jpeg(0xC2),
        jpeg(0xC3, b"\xff" * MAX_MARKERS),
        jpeg_2000(),
    ],
)
def test_other_and_damaged_jpeg_streams_are_refused(stream: bytes) -> None:
    with pytest.raises(StreamRefused):
        jpeg_header(stream)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\x4f\xff\x51\0\4",
        jpeg_2000()[:40],
        b"\0\0\0\x0cjP  " + jpeg_2000(),
        jpeg_2000(offset=(1, 0)),
        jpeg_2000(tile=(0, 48)),
        jpeg_2000(tile=(4, 4)),
        jpeg_2000(components=3),
        jpeg_2000(sampling=2),
        jpeg(0xC0),
    ],
)
def test_other_and_damaged_jpeg_2000_streams_are_refused(stream: bytes) -> None:
    with pytest.raises(StreamRefused):
        jpeg_2000_header(stream)
