"""Write pictures as PNG files, and read them back, without a library for pictures.

Format: PNG specification, third edition (https://www.w3.org/TR/png-3/). Read are pictures of eight
bits in grey or in red, green and blue whose rows are filtered as here.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.regular_file import open_regular

#: Colour types of grey pixels, and of pixels with red, green and blue (11.2.1).
GREY, RGB = 0, 2
#: Numbers of filters (9.2): rows as they are, less the pixel before, less the row above.
NONE, SUB, UP = 0, 1, 2
#: Bytes of a file that is read: a picture of a study has some 100 KB.
MAX_BYTES = 16 << 20
#: Pixels to a side of a picture that is read.
MAX_SIDE = 4096
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture.

    Args:
        path: The file.
        picture: As for `png_bytes`.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with atomic_file(path) as file:
        file.write(png_bytes(picture))


def png_bytes(picture: np.ndarray, row_filter: int = NONE) -> bytes:
    """Return a picture as a PNG file holds it.

    Args:
        picture: uint8 ``(height, width, 3)`` in colour or ``(height, width)`` in grey, the top row
            first.
        row_filter: ``NONE``, or ``UP``, which makes photographs smaller.
    """
    height, width = picture.shape[:2]
    rows = picture.reshape(height, -1)
    if row_filter == UP:
        rows = np.concatenate([rows[:1], rows[1:] - rows[:-1]])  # modulo 256
    filters = np.full((height, 1), row_filter, np.uint8)
    kind = GREY if picture.ndim == 2 else RGB
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", _HEADER.pack(width, height, 8, kind, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(np.concatenate([filters, rows], axis=1).tobytes())),
            _chunk(b"IEND", b""),
        )
    )


def read_png(path: Path) -> np.ndarray:
    """Read a picture that MIMIR wrote.

    Returns:
        uint8 ``(height, width, 3)``, or ``(height, width)`` of a grey one.

    Raises:
        MimirError: ``PICTURE_UNREADABLE``.
    """
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError("too large")
        return _decoded(content)
    except (OSError, ValueError, struct.error, zlib.error) as error:
        raise MimirError(
            "PICTURE_UNREADABLE",
            f"the picture '{path.name}' cannot be read, or was not written by MIMIR",
            "Measure the study again.",
        ) from error


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _decoded(content: bytes) -> np.ndarray:
    if not content.startswith(_SIGNATURE):
        raise ValueError("not a PNG file")
    chunks: dict[bytes, bytes] = {}
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        (length,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if checksum != zlib.crc32(kind + body):
            raise ValueError("damaged")
        chunks[kind] = chunks.get(kind, b"") + body
        at += 12 + length
    width, height, *form = _HEADER.unpack(chunks.get(b"IHDR", b""))
    if form not in ([8, GREY, 0, 0, 0], [8, RGB, 0, 0, 0]) or max(width, height) > MAX_SIDE:
        raise ValueError("of another kind")
    channels = 3 if form[1] == RGB else 1
    size = height * (1 + width * channels)
    inflated = zlib.decompressobj().decompress(chunks.get(b"IDAT", b""), size + 1)
    if not size or len(inflated) != size:
        raise ValueError("of another size")
    lines = np.frombuffer(inflated, np.uint8).reshape(height, -1)
    picture = _unfiltered(lines[:, 0], lines[:, 1:].reshape(height, width, channels))
    return picture if channels == 3 else picture[:, :, 0]


def _unfiltered(filters: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return the pixels of filtered rows."""
    picture = np.empty_like(lines)
    above = np.zeros_like(lines[0])
    for row, (number, line) in enumerate(zip(filters, lines)):
        if number not in (NONE, SUB, UP):
            raise ValueError("of another filter")
        if number == SUB:
            line = np.cumsum(line, axis=0, dtype=np.uint8)
        above = picture[row] = line + above if number == UP else line
    return picture
