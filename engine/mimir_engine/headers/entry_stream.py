"""Read a file piece by piece, so that a header can be parsed without the pixels behind it."""

from __future__ import annotations

import io

from mimir_engine.errors import MimirError
from mimir_engine.source.open_source import Entry

#: Bytes read first; each further reading takes four times as many.
_FIRST_BYTES = 2**16
#: Size of a header in bytes. Enhanced files of one station have some 2 MB.
MAX_HEADER_BYTES = 64 * 2**20


class EntryStream(io.RawIOBase):
    """A readable stream over an ``Entry``; it reads only as far as it is asked to.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` if more than ``MAX_HEADER_BYTES`` are asked for; any error
            of ``Entry.read``.
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
        """Read up to ``size`` bytes, or all if it is negative."""
        if size is None or size < 0:
            self._data, self._is_complete = self._entry.read(-1), True
            size = len(self._data)
        end = self._position + size
        if end > len(self._data) and not self._is_complete:
            self._grow(end)
        data = self._data[self._position : end]
        self._position += len(data)
        return data

    def _grow(self, end: int) -> None:
        if end > MAX_HEADER_BYTES:
            raise MimirError(
                "DICOM_UNREADABLE",
                f"the header of file '{self._entry.shown}' is larger than"
                f" {MAX_HEADER_BYTES // 2**20} MB",
                "Export the study again.",
            )
        count = max(4 * len(self._data), end)
        self._data = self._entry.read(count)
        self._is_complete = len(self._data) < count
