"""Write pictures as PNG files, without a library for pictures."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from mimir_engine.files.atomic import atomic_file

#: Colour type of pixels with red, green and blue (PNG specification, third edition, 11.2.1).
RGB = 2


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a colour picture.

    Args:
        path: The file.
        picture: uint8 ``(height, width, 3)``, the top row first.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with atomic_file(path) as file:
        file.write(png_bytes(picture))


def png_bytes(picture: np.ndarray) -> bytes:
    """Return a colour picture, uint8 ``(height, width, 3)``, as a PNG file holds it."""
    height, width, _ = picture.shape
    unfiltered = np.zeros((height, 1), np.uint8)  # each row begins with the filter's number
    rows = np.concatenate([unfiltered, picture.reshape(height, -1)], axis=1)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, RGB, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(rows.tobytes())),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
