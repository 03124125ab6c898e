"""Inflate deflate streams, never further than asked: quickly if they are what is declared.

ISA-L (extra ``fast``) takes half of zlib's time. What is inflated quickly counts only if size and
checksum are the declared ones. Everything else is left to zlib's bounded stream, which alone
decides whether an entry is damaged: with and without the extra, content and errors are the same.
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
        size: Declared size; a longer content is inflated to one byte beyond it.
        crc: Declared CRC-32.

    Raises:
        zlib.error: The stream is damaged, or its content is not the declared one.
    """
    content = _inflate_quickly(compressed, size)
    crc32 = zlib.crc32 if isal is None else isal.crc32
    if content is None or len(content) != size or crc32(content) != crc:
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


def _inflate_quickly(compressed: bytes, size: int) -> Optional[bytes]:
    """Inflate a stream with ISA-L; None without it, or if the stream is damaged."""
    if isal is None:
        return None
    try:
        return bytes(isal.decompressobj(-zlib.MAX_WBITS).decompress(compressed, size + 1))
    except isal.error:
        return None


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
