"""Read the size of images from the headers of JPEG streams.

Decoders may trust the DICOM header instead: then pixels of another size come out sheared, or the
decoder crashes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Optional

#: Beginnings of JPEG and JPEG-LS streams, and of JPEG 2000 codestreams.
_JPEG, _JPEG_2000 = b"\xff\xd8\xff", b"\xff\x4f\xff\x51"
#: Markers of frame headers (ISO/IEC 10918-1 B.1.1.3, 14495-1 C.1.1), and of what follows them.
_FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_BEHIND_HEADER = (0xDA, 0xD9)

_item = struct.Struct("<4xI").unpack_from


def jpeg_sizes(value: bytes) -> Iterator[Optional[tuple[int, int]]]:
    """Yield rows and columns of each JPEG stream; None if its header does not tell.

    Args:
        value: Encapsulated PixelData (PS3.5 A.4).
    """
    position = 0
    while position + 8 <= len(value):
        (length,) = _item(value, position)
        start, position = position + 8, position + 8 + length
        if value.startswith((_JPEG, _JPEG_2000), start):
            yield _size(value, start)


def _size(data: bytes, start: int) -> Optional[tuple[int, int]]:
    try:
        if data.startswith(_JPEG_2000, start):
            width, height, left, top = struct.unpack_from(">4I", data, start + 8)
            return height - top, width - left
        return _jpeg_size(data, start + 2)
    except struct.error:
        return None


def _jpeg_size(data: bytes, position: int) -> Optional[tuple[int, int]]:
    """Step over marker segments to the frame header."""
    while True:
        fill, marker, length = struct.unpack_from(">BBH", data, position)
        if fill != 0xFF or marker in _BEHIND_HEADER:
            return None
        if marker in _FRAMES:
            rows, columns = struct.unpack_from(">HH", data, position + 5)
            return rows, columns
        position += 1 if marker == 0xFF else 2 + length
