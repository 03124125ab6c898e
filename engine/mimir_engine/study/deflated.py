"""Deflated DICOM files: a data set in explicit VR little endian that is one deflate stream."""

from __future__ import annotations

import zlib

from mimir_engine.errors import MimirError
from mimir_engine.study.source import MOST_FILE_BYTES, Entry

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"


def undeflated(entry: Entry, data_set: int) -> Entry:
    """The same file without the deflation, which holds for the data set only (PS3.5 A.5).

    Files are inflated here, since a DICOM library would inflate a hostile one without limit.

    Args:
        entry: A file whose transfer syntax is ``DEFLATED``.
        data_set: Where its data set begins, behind the file meta information.
    """

    def read(count: int) -> bytes:
        data = entry.read(-1)
        meta = data[:data_set].replace(DEFLATED.encode(), _PLAIN_AS_LONG)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        most = min(count, MOST_FILE_BYTES) if count > 0 else MOST_FILE_BYTES
        try:
            content = meta + inflater.decompress(data[data_set:], most)
        except zlib.error as error:
            raise _damaged(entry) from error
        if count > 0:
            return content[:count]
        if not inflater.eof:
            raise _damaged(entry)
        return content

    return Entry(entry.name, entry.size, read)


#: A UID may be padded with nulls; so the file meta information keeps its length.
_PLAIN_AS_LONG = EXPLICIT_LITTLE_ENDIAN.encode().ljust(len(DEFLATED), b"\0")


def _damaged(entry: Entry) -> MimirError:
    return MimirError(
        "DICOM_UNREADABLE",
        f"the deflated file '{entry.name}' is damaged or inflates to more than"
        f" {MOST_FILE_BYTES // 2**20} MB",
        "Export or download the study again.",
    )
