"""Open the files of a study: a zip archive, a folder tree, or a list of files.

Input files are untrusted. Nothing is extracted to disk, names are only shown, and an entry is
inflated only if its declared size is acceptable, and never beyond that size.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Callable, NoReturn, Union

from mimir_engine.errors import MimirError

#: Size of one file in bytes. The largest real ones, enhanced multi-frame images of one station
#: with four contrasts, have some 60 MB.
MAX_FILE_BYTES = 256 * 2**20
#: Total size of a study's files in bytes; UK Biobank's have some 110 MB.
MAX_STUDY_BYTES = 4 * 2**30
#: Number of files in one study; UK Biobank's have 1,328.
MAX_FILES = 100_000
#: Size of a zip entry's local header without name and extra field (PKWARE APPNOTE 4.3.7).
_LOCAL_HEADER_BYTES = 30
#: Compressed bytes read beyond those asked for: Huffman tables precede the first inflated byte.
_EXTRA_BYTES = 1024

#: A zip archive, a folder (searched recursively), a ``.dcm`` file, or a list of files.
StudySource = Union[str, Path, Sequence[Union[str, Path]]]


@dataclass(frozen=True)
class Entry:
    """One file of a study.

    Attributes:
        name: Name inside the archive or on disk; only shown, never used as a path.
        size: Declared size in bytes.
        read: ``read(n)`` returns the first ``n`` bytes, ``read(-1)`` all; raises MimirError
            (``ZIP_DAMAGED``, ``ZIP_METHOD``, ``FILE_UNREADABLE``, ``DICOM_UNREADABLE``).
    """

    name: str
    size: int
    read: Callable[[int], bytes]


@contextmanager
def open_source(source: StudySource) -> Iterator[list[Entry]]:
    """List the files of a study; they can be read until the context ends.

    Raises:
        MimirError: ``SOURCE_MISSING``, ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``, ``FILE_TOO_LARGE``,
            ``STUDY_TOO_LARGE``, ``FILE_UNREADABLE``.
    """
    if not isinstance(source, (str, Path)):
        yield _checked([_file_entry(Path(path)) for path in source])
        return
    path = Path(source)
    with _reporting(path):
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            raise MimirError(
                "SOURCE_MISSING", "the file or folder does not exist", "Check the path."
            ) from error
    if stat.S_ISDIR(mode):
        yield _checked([_file_entry(file) for file in _files_below(path)])
    elif path.suffix.lower() == ".dcm":
        yield _checked([_file_entry(path)])
    else:
        with _reporting(path):
            _check_regular(mode)
            file = path.open("rb")
        with file:
            yield _checked(_zip_entries(file))


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield all files of a folder tree, sorted; links to folders are not followed."""

    def refuse(error: OSError) -> NoReturn:
        raise error

    with _reporting(folder):
        for parent, folders, names in os.walk(folder, onerror=refuse):
            folders.sort()
            yield from (Path(parent, name) for name in sorted(names))


def _file_entry(path: Path) -> Entry:
    def read(count: int) -> bytes:
        with _reporting(path), path.open("rb") as file:
            return file.read(count)

    with _reporting(path):
        status = path.stat()
        _check_regular(status.st_mode)
    return Entry(path.name, status.st_size, read)


def _check_regular(mode: int) -> None:
    """Refuse pipes and devices: opening one could block forever."""
    if not stat.S_ISREG(mode):
        raise OSError("it is not a regular file")


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn an error of the file system into ``FILE_UNREADABLE``."""
    try:
        yield
    except (OSError, ValueError) as error:
        name = Path(getattr(error, "filename", None) or path).name
        raise MimirError(
            "FILE_UNREADABLE",
            f"file '{name}' cannot be read ({getattr(error, 'strerror', None) or error})",
            "Check that the file exists and that you have permission to read it.",
        ) from error


def _zip_entries(file: IO[bytes]) -> list[Entry]:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile raises many kinds on damaged directories
        raise MimirError(
            "NOT_A_ZIP", "the file is not a complete zip archive", "Download it again."
        ) from error
    # Not info.is_dir(), which fails on an empty name in Python 3.11.
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if any(info.flag_bits & 1 for info in infos):
        raise MimirError(
            "ZIP_ENCRYPTED", "the archive is encrypted", "Decrypt the archive before using it."
        )
    return [_zip_entry(file, info) for info in infos]


def _zip_entry(file: IO[bytes], info: zipfile.ZipInfo) -> Entry:
    def read(count: int) -> bytes:
        if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            raise MimirError(
                "ZIP_METHOD",
                f"entry '{info.filename}' of the archive uses an unsupported compression method",
                "Pack the study again as an ordinary (deflated) zip archive.",
            )
        try:
            return _zip_bytes(file, info, count)
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, OverflowError) as error:
            raise MimirError(
                "ZIP_DAMAGED",
                f"entry '{info.filename}' of the archive is damaged",
                "Download it again.",
            ) from error

    return Entry(info.filename, info.file_size, read)


def _zip_bytes(file: IO[bytes], info: zipfile.ZipInfo, count: int) -> bytes:
    """Read the first ``count`` bytes of an entry, or all of them (-1) and verify their checksum.

    An entry is inflated in one call, never beyond its declared size: for files as small as slices
    the standard library's stream doubles the time.
    """
    _seek_data(file, info)
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if 0 < count < info.file_size:
        compressed = file.read(min(info.compress_size, count + _EXTRA_BYTES))
        data = _inflate(compressed, count) if deflated else compressed[:count]
        return data if len(data) == count else _zip_bytes(file, info, -1)[:count]
    compressed = file.read(min(info.compress_size, MAX_FILE_BYTES))
    data = _inflate(compressed, info.file_size + 1) if deflated else compressed
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile
    return data


def _seek_data(file: IO[bytes], info: zipfile.ZipInfo) -> None:
    """Move to the first compressed byte of an entry."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER_BYTES)
    if header[:4] != b"PK\3\4" or len(header) < _LOCAL_HEADER_BYTES:
        raise zipfile.BadZipFile
    name_bytes, extra_bytes = header[26] | header[27] << 8, header[28] | header[29] << 8
    file.seek(name_bytes + extra_bytes, os.SEEK_CUR)


def _inflate(compressed: bytes, max_bytes: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(compressed, max_bytes)


def _checked(entries: list[Entry]) -> list[Entry]:
    """Return the entries if their number and their declared sizes are within the limits."""
    for entry in entries:
        if entry.size > MAX_FILE_BYTES:
            raise MimirError(
                "FILE_TOO_LARGE",
                f"'{entry.name}' declares a size of {entry.size / 2**20:.0f} MB;"
                f" the limit is {MAX_FILE_BYTES // 2**20} MB",
                "Check that it belongs to the study, or download the study again.",
            )
    total = sum(entry.size for entry in entries)
    if total > MAX_STUDY_BYTES or len(entries) > MAX_FILES:
        raise MimirError(
            "STUDY_TOO_LARGE",
            f"the source contains {len(entries)} files with {total / 2**20:.0f} MB",
            "Give one study at a time.",
        )
    return entries
