"""Read the size of JPEG 2000 codestreams (ISO/IEC 15444-1 A.5), high-throughput ones included."""

from __future__ import annotations

import struct

from mimir_engine.decoding.stream import (
    HIGH_THROUGHPUT,
    JPEG_2000,
    StreamHeader,
    StreamRefused,
)

#: Tiles of an image. MR images have one.
MAX_TILES = 64
#: Markers at the beginning: of the codestream and its size, and then, only in high-throughput
#: streams, of its capabilities (15444-15 A.3).
_START_AND_SIZE, _CAPABILITIES = b"\xff\x4f\xff\x51", b"\xff\x50"
#: Length of the segment SIZ of one component.
_LENGTH = 41
_size = struct.Struct(">2H8IH3B").unpack_from


def jpeg_2000_header(stream: bytes) -> StreamHeader:
    """Read the first marker segment of a bare codestream.

    Raises:
        StreamRefused: It has several components, offsets, or too many tiles; or it is a JP2 file.
    """
    if not stream.startswith(_START_AND_SIZE):
        raise StreamRefused("no JPEG 2000 codestream")
    try:
        length, _, *sizes, components, depth, across, down = _size(stream, len(_START_AND_SIZE))
    except struct.error:
        raise StreamRefused("a header that is cut off") from None
    columns, rows, left, top, tile_columns, tile_rows, tile_left, tile_top = sizes
    if components != 1 or length != _LENGTH:
        raise StreamRefused(f"{components} components")
    if left or top or tile_left or tile_top or (across, down) != (1, 1):
        raise StreamRefused("an image with an offset or another sampling")
    if not tile_columns or not tile_rows:
        raise StreamRefused("empty tiles")
    if -(-columns // tile_columns) * -(-rows // tile_rows) > MAX_TILES:
        raise StreamRefused(f"more than {MAX_TILES} tiles")
    is_high_throughput = stream.startswith(_CAPABILITIES, len(_START_AND_SIZE) + length)
    kind = HIGH_THROUGHPUT if is_high_throughput else JPEG_2000
    return StreamHeader(kind, rows, columns, (depth & 0x7F) + 1, bool(depth & 0x80))
