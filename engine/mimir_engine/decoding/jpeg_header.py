"""Read the frame header of JPEG and JPEG-LS streams (ISO/IEC 10918-1 B, 14495-1 C)."""

from __future__ import annotations

import struct

from mimir_engine.decoding.stream import (
    JPEG,
    JPEG_LS,
    LOSSLESS_JPEG,
    StreamHeader,
    StreamRefused,
)

#: Markers in front of the frame header, fill bytes included; scanners write fewer than ten.
MAX_MARKERS = 1000
_START = b"\xff\xd8\xff"
#: Markers of frame headers: sequential (of 8 and of 8 or 12 bits), lossless, JPEG-LS.
_KINDS = {0xC0: JPEG, 0xC1: JPEG, 0xC3: LOSSLESS_JPEG, 0xF7: JPEG_LS}
#: Markers that no header goes on behind: other frames, the end, a scan.
_BEHIND_HEADER = (frozenset((*range(0xC0, 0xD0), 0xD9, 0xDA)) - {0xC4, 0xC8, 0xCC}) - _KINDS.keys()


def jpeg_header(stream: bytes) -> StreamHeader:
    """Step over marker segments to the frame header, and read it.

    Raises:
        StreamRefused: It is none of the kinds above, or has several components.
    """
    if not stream.startswith(_START):
        raise StreamRefused("no JPEG stream")
    try:
        return _frame_header(stream)
    except struct.error:
        raise StreamRefused("a header that is cut off") from None


def _frame_header(stream: bytes) -> StreamHeader:
    position = 2
    for _ in range(MAX_MARKERS):
        fill, marker, length = struct.unpack_from(">BBH", stream, position)
        if fill != 0xFF or marker in _BEHIND_HEADER:
            raise StreamRefused("another kind of stream")
        if marker in _KINDS:
            bits, rows, columns, components = struct.unpack_from(">BHHB", stream, position + 4)
            if components != 1:
                raise StreamRefused(f"{components} components")
            return StreamHeader(_KINDS[marker], rows, columns, bits)
        position += 1 if marker == 0xFF else 2 + length
    raise StreamRefused(f"more than {MAX_MARKERS} markers")
