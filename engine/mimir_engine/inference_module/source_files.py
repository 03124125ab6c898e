"""Open the files of an untrusted folder or zip archive."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Callable

from mimir_engine.errors import MimirError

#: Largest file of a module: a float32 ResNet50 has 94 MB; with the moments of Adam, 283 MB.
MAX_FILE_BYTES = 1 << 30
MAX_ENTRIES = 10_000

#: Opens a file for reading.
Opener = Callable[[], IO[bytes]]


@contextmanager
def open_source(source: Path, code: str) -> Iterator[dict[PurePosixPath, Opener]]:
    """Open a folder or zip archive: its files by their path in it.

    A zip archive is read entry by entry and never extracted.

    Args:
        source: Folder or zip archive.
        code: Error code for everything that is wrong with it.

    Raises:
        MimirError: With ``code``, also for errors while the files are read.
    """
    try:
        if source.is_dir():
            yield {
                PurePosixPath(path.relative_to(source).as_posix()): partial(_open, path)
                for path in source.rglob("*")
                if path.is_file()
            }
            return
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise MimirError(code, f"'{source.name}' has more than {MAX_ENTRIES:,} entries")
            yield {
                PurePosixPath(entry.filename.replace("\\", "/")): partial(archive.open, entry)
                for entry in entries
                if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
            }
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise MimirError(
            code,
            f"'{source.name}' is not a readable folder or zip archive ({error})",
            "Download it again.",
        ) from error


def _open(path: Path) -> IO[bytes]:
    return open(path, "rb")


def folders_with(files: dict[PurePosixPath, Opener], name: str) -> list[PurePosixPath]:
    """List the folders that contain a file of this name."""
    return sorted(path.parent for path in files if path.name == name)


def copy_limited(opener: Opener, target: Path, code: str) -> None:
    """Copy a file, but not more than `MAX_FILE_BYTES` of it: declared sizes may be wrong.

    Raises:
        MimirError: With ``code`` if the file is larger.
    """
    left = MAX_FILE_BYTES
    with opener() as source, open(target, "wb") as copy:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise MimirError(code, f"{target.name} is larger than {MAX_FILE_BYTES >> 20} MB")
            copy.write(block)
