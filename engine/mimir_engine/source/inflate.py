"""Inflate deflate streams, with ISA-L if it is installed (extra ``fast``).

ISA-L takes half of zlib's time. What it inflates counts only if size and checksum are the declared
ones. Everything else is left to zlib, which alone decides whether a stream is damaged: with and
without the extra, files have the same content and the same errors.
"""

from __future__ import annotations

import io
import zlib
from typing import IO, Any, Optional

isal: Any
try:
    from isal import isal_zlib as isal
except ImportError:
    isal = None

#: Compressed bytes read, and bytes inflated, at once. Smaller contents are inflated in one call.
PIECE_BYTES = 2**20


def inflate_small(compressed: bytes, most: int) -> bytes:
    """Inflate a raw deflate stream in one call, not beyond what is asked for.

    Args:
        compressed: The stream.
        most: Bytes to inflate at most, at least one.

    Returns:
        The content; less of it if the stream ends before its end mark.

    Raises:
        zlib.error: The stream is damaged.
    """
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(compressed, most)


def inflate_checked(compressed: bytes, size: int, crc: int) -> bytes:
    """Inflate a raw deflate stream in one call, and check its content.

    Args:
        compressed: The stream.
        size: Declared size; no more than one byte beyond it is inflated.
        crc: Declared CRC-32.

    Raises:
        zlib.error: The stream is damaged, or its content is not the declared one.
    """
    content = _by_isal(compressed, size, crc)
    if content is None:
        content = inflate_small(compressed, size + 1)
        check_content(content, size, crc)
    return content


def check_content(content: bytes, size: int, crc: int) -> None:
    """Check size and CRC-32 of what was inflated.

    Raises:
        zlib.error: They are not the declared ones.
    """
    if len(content) != size or zlib.crc32(content) != crc:
        raise zlib.error("the content is not the declared one")


def _by_isal(compressed: bytes, size: int, crc: int) -> Optional[bytes]:
    """Return what ISA-L inflates; None if it is not as declared, or without ISA-L."""
    if isal is None:
        return None
    try:
        content: bytes = isal.decompressobj(-zlib.MAX_WBITS).decompress(compressed, size + 1)
    except isal.error:
        return None
    return content if len(content) == size and isal.crc32(content) == crc else None


def inflate(file: IO[bytes], size: int, most: int, front: bytes = b"") -> bytes:
    """Inflate a raw deflate stream piece by piece, so that its content lies in memory once.

    Args:
        file: Stands at the first compressed byte.
        size: Number of compressed bytes.
        most: Bytes to inflate at most.
        front: Bytes to put in front of them.

    Raises:
        zlib.error: The stream is damaged, or ends before its end mark and ``most`` bytes.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = io.BytesIO()
    content.write(front)
    end = len(front) + most
    while content.tell() < end and not inflater.eof:
        compressed = inflater.unconsumed_tail or file.read(min(PIECE_BYTES, size))
        size -= 0 if inflater.unconsumed_tail else len(compressed)
        piece = inflater.decompress(compressed, min(PIECE_BYTES, end - content.tell()))
        if not compressed and not piece and not inflater.eof:
            raise zlib.error("the stream is cut off")
        content.write(piece)
    return content.getvalue()
