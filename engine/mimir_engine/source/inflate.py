"""Inflate a deflate stream piece by piece, so that it takes no more memory than its content."""

from __future__ import annotations

import io
import zlib
from typing import IO

#: Compressed bytes read, and bytes inflated, at once. Smaller contents are inflated in one call.
PIECE_BYTES = 2**20


def inflate(file: IO[bytes], size: int, most: int, front: bytes = b"") -> bytes:
    """Inflate a raw deflate stream, not beyond what is asked for.

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
