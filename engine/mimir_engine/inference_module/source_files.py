"""Open the files of an untrusted folder or zip archive."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Callable

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.bounded_zip import open_zip
from mimir_engine.files.regular_file import open_regular

#: Largest file of a module: a float32 ResNet50 has 94 MB; with the moments of Adam, 283 MB.
MAX_FILE_BYTES = 1 << 30
#: Files of a folder or archive; a module has some ten.
MAX_ENTRIES = 10_000
#: Ratio of a file's size to its size in an archive: weights hardly shrink, texts to a tenth.
MAX_RATIO = 100
#: Size in bytes of files whose ratio does not matter.
SMALL_BYTES = 1 << 20
#: What reading a damaged file or archive raises, besides errors of decoders.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

#: Files by their path in a folder or archive.
Files = Mapping[PurePosixPath, "SourceFile"]


@dataclass(frozen=True)
class SourceFile:
    """A file of a folder or archive, and its size in bytes as its folder or archive states it.

    Every error of reading it has the code ``code``.
    """

    name: str
    size: int
    code: str
    open: Callable[[], IO[bytes]]

    def blocks(self) -> Iterator[bytes]:
        """Read the file block by block, never more than its stated size.

        Raises:
            MimirError: With ``code``.
        """
        left = self.size
        with _reading(f"the file {self.name}", self.code), self.open() as file:
            while block := file.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise MimirError(self.code, f"{self.name} is larger than stated")
                yield block

    def read(self, max_bytes: int) -> bytes:
        """Read the whole file.

        Raises:
            MimirError: With ``code``, also if it is larger than ``max_bytes``.
        """
        self.check_size(max_bytes)
        return b"".join(self.blocks())

    def copy(self, target: Path) -> str:
        """Copy the file, and return its SHA-256 in lower-case hexadecimal.

        Raises:
            MimirError: With ``code``, also if it is larger than `MAX_FILE_BYTES`;
                ``OUTPUT_UNWRITABLE``.
        """
        self.check_size(MAX_FILE_BYTES)
        digest = sha256()
        with atomic_file(target) as copy:
            for block in self.blocks():
                digest.update(block)
                copy.write(block)
        return digest.hexdigest()

    def check_size(self, max_bytes: int) -> None:
        """Refuse a file that is larger than allowed, unread."""
        if self.size > max_bytes:
            raise MimirError(self.code, f"{self.name} is larger than {max_bytes >> 20} MB")


@contextmanager
def open_source(source: Path, code: str) -> Iterator[Files]:
    """Open a folder or zip archive: its files by their path in it.

    A zip archive is read entry by entry and never extracted.

    Args:
        source: Folder or zip archive.
        code: Error code for everything that is wrong with it and its files.

    Raises:
        MimirError: With ``code``.
    """
    if source.is_dir():
        with _reading(f"'{source.name}'", code):
            files = _folder_files(source, code)
        yield files
        return
    with _reading(f"'{source.name}'", code):
        file = open_regular(source)
    with file:
        with _reading(f"'{source.name}'", code):
            archive = open_zip(file.fileno())
        yield _zip_files(archive, source.name, code)


def folders_with(files: Files, name: str) -> list[PurePosixPath]:
    """List the folders that contain a file of this name."""
    return sorted(path.parent for path in files if path.name == name)


@contextmanager
def _reading(what: str, code: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise MimirError(
            code,
            f"{what} cannot be read ({why})",
            "Give a module's folder or zip archive, or download it again.",
        ) from error


def _folder_files(source: Path, code: str) -> Files:
    files: dict[PurePosixPath, SourceFile] = {}
    for folder, _, names in os.walk(source, onerror=_fail):
        for name in names:
            path = Path(folder, name)
            try:
                size = path.stat().st_size
            except OSError:  # a link that leads nowhere
                continue
            if len(files) == MAX_ENTRIES:
                raise _too_many(source.name, code)
            inside = PurePosixPath(path.relative_to(source).as_posix())
            files[inside] = SourceFile(name, size, code, partial(open_regular, path))
    return files


def _fail(error: OSError) -> None:
    raise error


def _zip_files(archive: zipfile.ZipFile, name: str, code: str) -> Files:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _too_many(name, code)
    files = {}
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if not entry.filename.endswith(("/", "\\")) and path.parts[:1] != ("__MACOSX",):
            opened = partial(_open_entry, archive, entry)
            files[path] = SourceFile(path.name, entry.file_size, code, opened)
    return files


def _open_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    if entry.flag_bits & 1:
        raise ValueError("it is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("its compression method is not supported; pack an ordinary zip archive")
    if entry.file_size > max(SMALL_BYTES, MAX_RATIO * entry.compress_size):
        raise ValueError(f"it unpacks to more than {MAX_RATIO} times its size")
    return archive.open(entry)


def _too_many(name: str, code: str) -> MimirError:
    return MimirError(
        code,
        f"'{name or os.sep}' has more than {MAX_ENTRIES:,} files",
        "Give the module's own folder.",
    )
