"""Read a file piece by piece, so that a header can be parsed without the pixels behind it."""

from __future__ import annotations

import io

from mimir_engine.errors import MimirError
from mimir_engine.source.open_source import Entry

#: Bytes read first; each further reading takes four times as many.
_FIRST_BYTES = 2**16
#: Size of a header in bytes; pydicom makes up to 60 times as much of it. Enhanced files have some
#: 8 kB per image, so those of one station have 2 MB.
MAX_HEADER_BYTES = 16 * 2**20
#: Items of all sequences of a header, of each of which pydicom makes 2 kB. Enhanced files have some
#: 20 per image.
MAX_ITEMS = 100_000
#: Backslashes in a header: of each part of a multiple value, such as SpecificCharacterSet, pydicom
#: makes 140 bytes. Enhanced files have some 40 per image.
MAX_BACKSLASHES = 1_000_000
#: Tag of an item, in little and in big endian (PS3.5 7.5).
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


class EntryStream(io.RawIOBase):
    """A readable stream over an ``Entry``; it reads only as far as it is asked to.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` if more than ``MAX_HEADER_BYTES`` are asked for, or they
            contain more than ``MAX_ITEMS`` or ``MAX_BACKSLASHES``; any error of ``Entry.read``.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._data = entry.read(_FIRST_BYTES)
        self._is_complete = len(self._data) < _FIRST_BYTES
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; the end is that of the declared size."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._entry.size}
        self._position = max(start[whence] + offset, 0)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes; never all."""
        if size is None or size < 0:
            raise io.UnsupportedOperation("a header has a limit")
        end = self._position + size
        if end > len(self._data) and not self._is_complete:
            self._grow(end)
        data = self._data[self._position : end]
        self._position += len(data)
        return data

    def _grow(self, end: int) -> None:
        if end > MAX_HEADER_BYTES:
            raise header_too_large(self._entry)
        count = min(max(4 * len(self._data), end), MAX_HEADER_BYTES)
        self._data = self._entry.read(count)
        self._is_complete = len(self._data) < count
        if count_items(self._data) > MAX_ITEMS or self._data.count(b"\\") > MAX_BACKSLASHES:
            raise header_too_large(self._entry)


def count_items(data: bytes) -> int:
    """Count the items of sequences in a file, without parsing it."""
    return max(map(data.count, _ITEM_TAGS))


def header_too_large(entry: Entry) -> MimirError:
    """Make the error about a header that is larger than those of real images."""
    return MimirError(
        "DICOM_UNREADABLE",
        f"the header of file '{entry.shown}' has more than {MAX_HEADER_BYTES // 2**20} MB,"
        f" {MAX_ITEMS:,} items or {MAX_BACKSLASHES:,} values",
        "Export the study again, with one file per image.",
    )
