"""List and read the entries of a zip archive.

An entry is inflated only as far as asked, and never beyond its declared size.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from typing import IO, cast

from mimir_engine.errors import MimirError
from mimir_engine.source.entry import MAX_FILE_BYTES, Entry, Opener, check_size, shown_name
from mimir_engine.source.inflate import (
    PIECE_BYTES,
    check_content,
    inflate,
    inflate_checked,
    inflate_small,
)
from mimir_engine.source.reading_limits import MAX_FILES, ReadingLimits

#: Size of an archive's directory in bytes: enough for ``MAX_FILES`` names of 200 characters. The
#: standard library reads it at once.
MAX_DIRECTORY_BYTES = 32 * 2**20
#: Beginning of each entry of the directory (PKWARE APPNOTE 4.3.12). The standard library makes some
#: 800 bytes of each, whatever number the archive declares; so they are counted first.
_DIRECTORY_ENTRY = b"PK\1\2"
#: Size of a zip entry's local header without name and extra field (PKWARE APPNOTE 4.3.7).
LOCAL_HEADER_BYTES = 30
#: Compressed bytes read beyond those asked for: Huffman tables precede the first inflated byte.
_EXTRA_BYTES = 1024


def zip_entries(name: str, opened: Opener, limits: ReadingLimits) -> list[Entry]:
    """List the files of a zip archive; folders are left out.

    Args:
        name: Name of the archive, to be shown.
        opened: Opens the archive; each reading of an entry opens it again.
        limits: Counts the entries, before they are listed.

    Raises:
        MimirError: ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``, ``STUDY_TOO_LARGE``.
    """
    with opened() as file:
        infos = [info for info in _directory(name, file, limits) if not _is_folder(info)]
    if any(info.flag_bits & 1 for info in infos):
        raise MimirError(
            "ZIP_ENCRYPTED",
            f"archive '{name}' is encrypted",
            "Decrypt the archive before using it.",
        )
    return [_zip_entry(opened, info) for info in infos]


def first_entry(file: IO[bytes], count: int) -> bytes:
    """Read the first bytes of an archive's first entry, without its directory.

    Args:
        file: The archive, at its beginning.
        count: Number of bytes.

    Returns:
        The bytes; fewer, or none, if they cannot be told.
    """
    header = file.read(LOCAL_HEADER_BYTES)
    if header[:4] != b"PK\3\4" or len(header) < LOCAL_HEADER_BYTES or header[6] & 1:
        return b""
    method = header[8] | header[9] << 8
    file.seek(_behind_names(header), os.SEEK_CUR)
    content = file.read(count + _EXTRA_BYTES)
    if method == zipfile.ZIP_STORED:
        return content[:count]
    try:
        return inflate_small(content, count) if method == zipfile.ZIP_DEFLATED else b""
    except zlib.error:
        return b""


def _directory(name: str, file: IO[bytes], limits: ReadingLimits) -> list[zipfile.ZipInfo]:
    try:
        return zipfile.ZipFile(cast("IO[bytes]", _Bounded(file, limits))).infolist()
    except (MimirError, MemoryError):
        raise
    except Exception as error:  # zipfile raises many kinds on damaged directories
        raise MimirError(
            "NOT_A_ZIP", f"'{name}' is not a complete zip archive", "Download it again."
        ) from error


class _Bounded:
    """A file of which no more than ``MAX_DIRECTORY_BYTES`` are read at once; counts entries."""

    def __init__(self, file: IO[bytes], limits: ReadingLimits) -> None:
        self._file, self._limits = file, limits

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move like the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in the file."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Read like the file."""
        data = self._file.read(min(size, MAX_DIRECTORY_BYTES + 1) if size >= 0 else size)
        too_many = len(data) > MAX_DIRECTORY_BYTES
        self._limits.count(MAX_FILES + 1 if too_many else data.count(_DIRECTORY_ENTRY))
        return data


def _is_folder(info: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a folder; old programs for Windows end its name in a backslash.

    Not ``info.is_dir()``, which fails on an empty name in Python 3.11.
    """
    return info.filename.endswith("/") or (info.filename.endswith("\\") and info.file_size == 0)


def _zip_entry(opened: Opener, info: zipfile.ZipInfo) -> Entry:
    def read(count: int) -> bytes:
        if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            raise MimirError(
                "ZIP_METHOD",
                f"entry '{shown_name(info.filename)}' of the archive uses an unsupported"
                " compression method",
                "Pack the study again as an ordinary (deflated) zip archive.",
            )
        if count < 0:
            check_size(info.filename, info.file_size)
        try:
            with opened() as file:
                return _zip_bytes(file, info, count)
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, OverflowError) as error:
            raise MimirError(
                "ZIP_DAMAGED",
                f"entry '{shown_name(info.filename)}' of the archive is damaged",
                "Download it again.",
            ) from error

    return Entry(info.filename, info.file_size, read)


def _zip_bytes(file: IO[bytes], info: zipfile.ZipInfo, count: int) -> bytes:
    """Read the first ``count`` bytes of an entry, or all of them (-1) and verify their checksum.

    A small entry is inflated in one call: for files as small as slices the standard library's
    stream doubles the time.
    """
    if 0 < count < info.file_size:
        return _first_bytes(file, info, count)
    _seek_data(file, info)
    if info.compress_type == zipfile.ZIP_STORED:
        data = file.read(min(info.compress_size, info.file_size + 1))
    elif info.file_size < PIECE_BYTES:
        compressed = file.read(min(info.compress_size, MAX_FILE_BYTES))
        return inflate_checked(compressed, info.file_size, info.CRC)
    else:
        data = inflate(file, info.compress_size, info.file_size + 1)
    check_content(data, info.file_size, info.CRC)
    return data


def _first_bytes(file: IO[bytes], info: zipfile.ZipInfo, count: int) -> bytes:
    is_stored = info.compress_type == zipfile.ZIP_STORED
    _seek_data(file, info)
    compressed = file.read(min(info.compress_size, count + _EXTRA_BYTES))
    data = compressed[:count] if is_stored else inflate_small(compressed, count)
    if len(data) == count or is_stored:
        return data
    _seek_data(file, info)
    if count <= PIECE_BYTES:
        return inflate_small(file.read(min(info.compress_size, MAX_FILE_BYTES)), count)
    return inflate(file, info.compress_size, count)


def _seek_data(file: IO[bytes], info: zipfile.ZipInfo) -> None:
    """Move to the first compressed byte of an entry."""
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    if header[:4] != b"PK\3\4" or len(header) < LOCAL_HEADER_BYTES:
        raise zipfile.BadZipFile
    file.seek(_behind_names(header), os.SEEK_CUR)


def _behind_names(header: bytes) -> int:
    """Return the length of the fields between local header and data: name and extra field."""
    return (header[26] | header[27] << 8) + (header[28] | header[29] << 8)
