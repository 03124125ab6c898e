"""Open a zip archive whose list of files has a limited size."""

from __future__ import annotations

import zipfile
from io import FileIO
from typing import Optional

#: Size of an archive's directory in bytes: enough for 10,000 names of 150 characters. The standard
#: library reads it at once and keeps some ten times as much.
MAX_DIRECTORY_BYTES = 2 << 20


def open_zip(descriptor: int) -> zipfile.ZipFile:
    """Open an archive with a directory of limited size.

    Raises:
        Exception: zipfile raises many kinds on damaged archives.
    """
    return zipfile.ZipFile(_Bounded(descriptor, closefd=False))


class _Bounded(FileIO):
    """A file of which no more than `MAX_DIRECTORY_BYTES` are read at once."""

    def read(self, size: Optional[int] = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("it lists too many files")
        return super().read(size)
