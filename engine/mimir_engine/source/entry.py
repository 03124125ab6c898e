"""One file of a study, wherever it lies, and the limits on reading it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Callable

from mimir_engine.errors import MimirError

#: Bytes of a file read first: enough to tell what it is, and for most headers.
FIRST_BYTES = 2048
#: Size in bytes of a file that is read in full. The largest real ones, enhanced multi-frame images
#: of one station with four contrasts, have some 60 MB.
MAX_FILE_BYTES = 256 * 2**20

#: Opens a file, or an archive in memory, for reading from its beginning or wherever it stands.
Opener = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Entry:
    """One file of a study.

    Attributes:
        name: Name inside the archive or on disk; never used as a path.
        size: Declared size in bytes.
        read: ``read(n)`` returns the first ``n`` bytes, ``read(-1)`` all; raises MimirError
            (``FILE_TOO_LARGE`` if all of a large file is asked for, ``ZIP_DAMAGED``,
            ``ZIP_METHOD``, ``ARCHIVE_DAMAGED``, ``FILE_UNREADABLE``, ``DICOM_UNREADABLE``).
    """

    name: str
    size: int
    read: Callable[[int], bytes]

    @property
    def shown(self) -> str:
        """The name in messages."""
        return shown_name(self.name)


@dataclass(frozen=True)
class FileOnDisk(Entry):
    """A file that lies in no archive.

    Attributes:
        path: Its path.
    """

    path: str

    def open(self) -> AbstractContextManager[IO[bytes]]:
        """Open the file; its errors become ``FILE_UNREADABLE``."""
        with reporting(self.path):
            return open(self.path, "rb")


def shown_name(name: str) -> str:
    """Return a file's name without its folders, which are often named after patients.

    Examples:
        >>> shown_name("Smith^John/T1/IM0001")
        'IM0001'
    """
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1]


def check_size(name: str, size: int) -> None:
    """Refuse to read all of a large file.

    Raises:
        MimirError: ``FILE_TOO_LARGE``.
    """
    if size > MAX_FILE_BYTES:
        raise MimirError(
            "FILE_TOO_LARGE",
            f"'{shown_name(name)}' has {size / 2**20:.0f} MB; images of up to"
            f" {MAX_FILE_BYTES // 2**20} MB are read",
            "If it does not belong to the neck-to-knee scan, leave it out. Otherwise export the"
            " scan with one file per slice.",
        )


@contextmanager
def reporting(path: str) -> Iterator[None]:
    """Turn an error of the file system into ``FILE_UNREADABLE``."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: Exception) -> MimirError:
    """Make the error about a file or folder that the system cannot read."""
    name = Path(getattr(error, "filename", None) or path).name
    return MimirError(
        "FILE_UNREADABLE",
        f"file '{name}' cannot be read ({getattr(error, 'strerror', None) or error})",
        "Check that the file exists and that you have permission to read it.",
    )
