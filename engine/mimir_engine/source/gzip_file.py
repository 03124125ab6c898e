"""Read a gzip file: one compressed file, or a tar archive."""

from __future__ import annotations

import gzip
import io
import os
import zlib

from mimir_engine.errors import MimirError
from mimir_engine.source.entry import MAX_FILE_BYTES, Entry, Opener, check_size

#: Bytes inflated at once.
_PIECE_BYTES = 2**20
#: Bytes at the end of a gzip file that declare its inflated size (RFC 1952), modulo 2**32.
_SIZE_BYTES = 4


def gzip_entry(name: str, opened: Opener) -> Entry:
    """Return the file that a gzip file holds.

    Each reading inflates it anew, and not beyond what is asked for.

    Args:
        name: Name of the gzip file.
        opened: Opens it.
    """

    def read(count: int) -> bytes:
        most = count if count >= 0 else MAX_FILE_BYTES + 1
        try:
            with opened() as file:
                file.seek(0)
                content = _inflated(gzip.GzipFile(fileobj=file), most)
        except (EOFError, OSError, zlib.error, ValueError) as error:
            raise MimirError(
                "ARCHIVE_DAMAGED",
                f"gzip file '{name}' is damaged or incomplete",
                "Download it again.",
            ) from error
        if count < 0:
            check_size(name, len(content))
        return content

    return Entry(_inner_name(name), _declared_size(opened), read)


def _inner_name(name: str) -> str:
    lower = name.lower()
    if lower.endswith(".tgz"):
        return f"{name[:-4]}.tar"
    return name[:-3] if lower.endswith(".gz") else name


def _inflated(file: gzip.GzipFile, most: int) -> bytes:
    content = io.BytesIO()
    while piece := file.read(min(_PIECE_BYTES, most - content.tell())):
        content.write(piece)
    return content.getvalue()


def _declared_size(opened: Opener) -> int:
    with opened() as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - _SIZE_BYTES, 0))
        return int.from_bytes(file.read(_SIZE_BYTES), "little")
