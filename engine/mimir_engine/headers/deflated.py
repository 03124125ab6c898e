"""Inflate deflated DICOM files, within the limit on a file's size."""

from __future__ import annotations

import io
import zlib

from mimir_engine.errors import MimirError
from mimir_engine.headers.little_endian import EXPLICIT_LITTLE_ENDIAN
from mimir_engine.source.inflate import inflate
from mimir_engine.source.open_source import MAX_FILE_BYTES, Entry

#: Transfer syntax UID of deflated explicit VR little endian files.
DEFLATED = "1.2.840.10008.1.2.1.99"
#: A UID may be padded with nulls, so the file meta information keeps its length.
_PADDED_UID = EXPLICIT_LITTLE_ENDIAN.encode().ljust(len(DEFLATED), b"\0")


def inflated(entry: Entry, data_set: int) -> Entry:
    """Return the same file with an inflated data set (only that is deflated, PS3.5 A.5).

    A DICOM library would inflate a malicious file without limit; here each read is limited to
    ``MAX_FILE_BYTES``, and raises ``DICOM_UNREADABLE`` if the file is damaged or larger.

    Args:
        entry: A file with the transfer syntax ``DEFLATED``.
        data_set: Position of its data set, behind the file meta information.
    """

    def read(count: int) -> bytes:
        data = entry.read(-1)
        meta = data[:data_set].replace(DEFLATED.encode(), _PADDED_UID)
        deflated = io.BytesIO(data)
        deflated.seek(data_set)
        max_bytes = min(count, MAX_FILE_BYTES) if count > 0 else MAX_FILE_BYTES + 1
        try:
            content = inflate(deflated, len(data) - data_set, max_bytes, front=meta)
            if len(content) - len(meta) > MAX_FILE_BYTES:
                raise zlib.error
        except zlib.error as error:
            raise MimirError(
                "DICOM_UNREADABLE",
                f"the deflated file '{entry.shown}' is damaged or inflates to more than"
                f" {MAX_FILE_BYTES // 2**20} MB",
                "Export or download the study again.",
            ) from error
        return content[:count] if count > 0 else content

    return Entry(entry.name, entry.size, read)
