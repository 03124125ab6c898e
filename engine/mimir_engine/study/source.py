"""Where a study's bytes come from: a zip archive, a folder tree, or a list of files.

Files from outside are hostile until checked: nothing is ever extracted, names are only shown,
and no entry is inflated before its declared size was found sensible, nor beyond that size.
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
from typing import IO, Callable, Union

from mimir_engine.errors import MimirError

#: Largest single file (bytes). The largest real ones, enhanced multi-frame images of one station
#: with four contrasts, have some 60 MB.
MOST_FILE_BYTES = 256 * 2**20
#: Largest sum of a study's files (bytes); UK Biobank's have some 110 MB.
MOST_STUDY_BYTES = 4 * 2**30
#: Most files of one study; UK Biobank's have 1,328.
MOST_FILES = 100_000

StudySource = Union[str, Path, Sequence[Union[str, Path]]]


@dataclass(frozen=True)
class Entry:
    """One file of a study.

    Attributes:
        name: Name inside the archive or on disk; shown, never used as a path to write to.
        size: Declared size in bytes.
        read: ``read(n)`` gives the first ``n`` bytes, ``read(-1)`` all; raises MimirError
            (``ZIP_DAMAGED``, ``ZIP_METHOD``, ``FILE_UNREADABLE``, ``DICOM_UNREADABLE``).
    """

    name: str
    size: int
    read: Callable[[int], bytes]


@contextmanager
def open_source(source: StudySource) -> Iterator[list[Entry]]:
    """List a study's files; they can be read until the context ends.

    Raises:
        MimirError: ``SOURCE_MISSING``, ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``, ``FILE_TOO_LARGE``,
            ``STUDY_TOO_LARGE``, ``FILE_UNREADABLE``.
    """
    if not isinstance(source, (str, Path)):
        yield _checked([_file_entry(Path(p)) for p in source])
        return
    path = Path(source)
    kind = _kind(path)
    if stat.S_ISDIR(kind):
        yield _checked([_file_entry(p) for p in _files_below(path)])
    elif path.suffix.lower() == ".dcm":
        yield _checked([_file_entry(path)])
    elif not stat.S_ISREG(kind):
        raise _unreadable(path, _NO_FILE)
    else:
        with _open_zip(path) as archive:
            yield _checked(_zip_entries(archive))


def _kind(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise MimirError(
            "SOURCE_MISSING", "there is no such file or folder", "Check the path."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _files_below(folder: Path) -> Iterator[Path]:
    """All files of a folder tree, sorted; links to folders are not followed."""

    def refuse(error: OSError) -> None:
        raise _unreadable(Path(error.filename or folder), error) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _file_entry(path: Path) -> Entry:
    def read(count: int) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(count)
        except OSError as error:
            raise _unreadable(path, error) from error

    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(path, _NO_FILE)
    return Entry(path.name, status.st_size, read)


#: Said of pipes and devices: opening one could wait forever.
_NO_FILE = "it is not a file"


def _unreadable(path: Path, reason: Union[Exception, str]) -> MimirError:
    return MimirError(
        "FILE_UNREADABLE",
        f"file '{path.name}' cannot be read ({getattr(reason, 'strerror', None) or reason})",
        "Check that it exists and that you may read it.",
    )


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # zipfile raises many kinds on hostile directories
            raise MimirError(
                "NOT_A_ZIP",
                "the file is not a zip archive, or it is cut off",
                "Download it again.",
            ) from error
        yield archive


def _zip_entries(archive: zipfile.ZipFile) -> list[Entry]:
    # Not info.is_dir(), which fails on an empty name in Python 3.11.
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if any(info.flag_bits & 1 for info in infos):
        raise MimirError(
            "ZIP_ENCRYPTED", "the archive is encrypted", "Give MIMIR the decrypted archive."
        )
    return [_zip_entry(archive, info) for info in infos]


def _zip_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    def read(count: int) -> bytes:
        if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            raise MimirError(
                "ZIP_METHOD",
                f"entry '{info.filename}' of the archive is compressed by a rare method",
                "Pack the study again as an ordinary (deflated) zip archive.",
            )
        try:
            return _zip_bytes(archive, info, count)
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, OverflowError) as error:
            raise MimirError(
                "ZIP_DAMAGED",
                f"entry '{info.filename}' of the archive is damaged",
                "Download it again.",
            ) from error

    return Entry(info.filename, info.file_size, read)


def _zip_bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: int) -> bytes:
    """The first ``count`` bytes of an entry, or all of them (-1) with their checksum verified.

    Entries are inflated at once here, never beyond their declared size: the standard library's
    stream costs as much again as the inflating itself on files as small as slices.
    """
    file = _at_data(archive, info)
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if 0 < count < info.file_size:
        compressed = file.read(min(info.compress_size, count + _LEAST_BYTES))
        data = _inflate(compressed, count) if deflated else compressed[:count]
        if len(data) == count:
            return data
        return _zip_bytes(archive, info, -1)[:count]
    compressed = file.read(min(info.compress_size, MOST_FILE_BYTES))
    data = _inflate(compressed, info.file_size + 1) if deflated else compressed
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile
    return data


def _at_data(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """The archive's file, at the first compressed byte of an entry."""
    file = archive.fp
    if file is None:
        raise zipfile.BadZipFile
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER_BYTES)
    if header[:4] != b"PK\3\4" or len(header) < _LOCAL_HEADER_BYTES:
        raise zipfile.BadZipFile
    name_bytes, extra_bytes = header[26] | header[27] << 8, header[28] | header[29] << 8
    file.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    return file


def _inflate(compressed: bytes, most: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(compressed, most)


#: Size of a zip entry's local header without name and extra field (PKWARE APPNOTE 4.3.7).
_LOCAL_HEADER_BYTES = 30
#: Compressed bytes read beyond those asked for: tables stand before the first inflated byte.
_LEAST_BYTES = 1024


def _checked(entries: list[Entry]) -> list[Entry]:
    """The same entries, if their number and their declared sizes are sensible."""
    for entry in entries:
        if entry.size > MOST_FILE_BYTES:
            raise MimirError(
                "FILE_TOO_LARGE",
                f"'{entry.name}' declares {entry.size / 2**20:.0f} MB,"
                f" more than the {MOST_FILE_BYTES // 2**20} MB that a DICOM file here may have",
                "The archive is damaged or hostile; download it again from its source.",
            )
    total = sum(entry.size for entry in entries)
    if total > MOST_STUDY_BYTES or len(entries) > MOST_FILES:
        raise MimirError(
            "STUDY_TOO_LARGE",
            f"the source holds {len(entries)} files with {total / 2**20:.0f} MB",
            "Give one study at a time.",
        )
    return entries
