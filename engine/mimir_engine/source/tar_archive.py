"""List and read the files of a tar archive.

The headers are read here, not by the standard library: its module reads headers without limits, and
in Python versions that Slicer ships a malicious archive keeps it busy for ever (CVE-2024-6232,
CVE-2025-8194). Formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), GNU tar.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple, Optional

from mimir_engine.errors import MimirError
from mimir_engine.source.entry import Entry, Opener, check_size, shown_name
from mimir_engine.source.file_kind import TAR_BLOCK_BYTES, is_tar_header
from mimir_engine.source.hidden_files import is_hidden
from mimir_engine.source.passed_over import PassedOver
from mimir_engine.source.reading_limits import ReadingLimits

#: Size of an extended header in bytes: a long name, and attributes of the file.
MAX_EXTENDED_HEADER_BYTES = 2**20
#: Types of members, by the letter in their header.
_FILES, _FOLDER, _SPARSE = b"0\0" + b"7", b"5", b"S"
#: Headers that extend the next one.
_PAX, _LONG_NAME, _OTHER_EXTENDED = b"xX", b"L", b"gK"
#: Members without content, whatever size they declare: links, devices, folders, pipes.
_EMPTY = b"123456"
#: Reasons why members are passed over.
_REASONS = {b"1": "a link", b"2": "a link", _SPARSE: "a sparse file"}
#: Key of pax headers by which GNU tar marks sparse files.
_SPARSE_KEY = b"GNU.sparse."
#: Length of a name in bytes, that of a path in Linux; the end of a longer one is left out.
MAX_NAME_BYTES = 4096
#: Digits of a size.
MAX_SIZE_DIGITS = 19


class _Member(NamedTuple):
    """One member: its name, its type, and where its content lies."""

    name: str
    kind: bytes
    offset: int
    size: int


class _Extension(NamedTuple):
    """What extended headers say about the member that follows; None where they say nothing."""

    name: Optional[str] = None
    size: Optional[int] = None
    is_sparse: bool = False


class _Damaged(Exception):
    """The archive is not what its headers say."""


def tar_entries(
    name: str, opened: Opener, limits: ReadingLimits, passed_over: list[PassedOver]
) -> list[Entry]:
    """List the files of a tar archive; folders are left out.

    Args:
        name: Name of the archive, to be shown.
        opened: Opens the archive; each reading of a file opens it again.
        limits: Counts the files.
        passed_over: Receives members that are neither files nor folders, such as links.

    Raises:
        MimirError: ``ARCHIVE_DAMAGED``, ``STUDY_TOO_LARGE``.
    """
    entries = []
    try:
        with opened() as file:
            for member in _members(file, file.seek(0, os.SEEK_END)):
                limits.count(1)
                if member.kind in _FILES:
                    entries.append(_tar_entry(name, opened, member))
                elif member.kind != _FOLDER and not is_hidden(member.name):
                    reason = _REASONS.get(member.kind, "not an ordinary file")
                    passed_over.append(
                        PassedOver(shown_name(member.name), f"{reason} in a tar archive")
                    )
    except (_Damaged, OSError, ValueError, OverflowError) as error:
        raise _damaged(name) from error
    return entries


def first_files(file: IO[bytes], count: int) -> Iterator[bytes]:
    """Yield the first bytes of each file of an archive that may be read only forwards.

    Args:
        file: The archive, at its beginning; nothing is yielded of what is damaged.
        count: Number of bytes.
    """
    try:
        for member in _members(file, sys.maxsize):
            if member.kind in _FILES and not is_hidden(member.name):
                file.seek(member.offset)
                yield file.read(min(count, member.size))
    except (_Damaged, OSError, EOFError, zlib.error, ValueError, OverflowError):
        return


def _tar_entry(archive: str, opened: Opener, member: _Member) -> Entry:
    def read(count: int) -> bytes:
        if count < 0:
            check_size(member.name, member.size)
        wanted = member.size if count < 0 else min(count, member.size)
        try:
            with opened() as file:
                file.seek(member.offset)
                content = file.read(wanted)
        except (OSError, ValueError, OverflowError) as error:
            raise _damaged(archive) from error
        if len(content) < wanted:
            raise _damaged(archive)
        return content

    return Entry(member.name, member.size, read)


def _damaged(name: str) -> MimirError:
    return MimirError(
        "ARCHIVE_DAMAGED", f"tar archive '{name}' is damaged or incomplete", "Download it again."
    )


def _members(file: IO[bytes], end: int) -> Iterator[_Member]:
    """Yield the members up to the block of zeros that ends an archive of a known size.

    Each step moves on by at least one block, so that every archive ends.
    """
    position, extension = 0, _Extension()
    while block := _header(file, position):
        kind, start = block[156:157], position + TAR_BLOCK_BYTES
        size = 0 if kind in _EMPTY else _number(block[124:136])
        if kind in _PAX + _LONG_NAME + _OTHER_EXTENDED:
            extension = _extended(extension, kind, _extended_header(file, size))
        else:
            if kind == _SPARSE:
                start += _sparse_map_bytes(file, block)
            elif kind not in _EMPTY and extension.size is not None:
                size = extension.size
            if start + size > end:
                raise _Damaged
            name = _short_name(block) if extension.name is None else extension.name
            yield _Member(name, _SPARSE if extension.is_sparse else kind, start, size)
            extension = _Extension()
        position = start + -(-size // TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES


def _header(file: IO[bytes], position: int) -> bytes:
    """Read a header; return nothing at the end of the archive."""
    file.seek(position)
    block = file.read(TAR_BLOCK_BYTES)
    if block == bytes(TAR_BLOCK_BYTES):
        return b""
    if not is_tar_header(block):
        raise _Damaged
    return block


def _extended_header(file: IO[bytes], size: int) -> bytes:
    if size > MAX_EXTENDED_HEADER_BYTES:
        raise _Damaged
    return file.read(size)


def _extended(extension: _Extension, kind: bytes, data: bytes) -> _Extension:
    """Add what one extended header says about the next member."""
    if kind == _LONG_NAME:
        return extension._replace(name=_text(data))
    if kind not in _PAX:
        return extension
    fields = dict(_pax_fields(data))
    size = fields.get(b"size", b"")
    return _Extension(
        name=_text(fields[b"path"]) if b"path" in fields else extension.name,
        size=int(size) if size.isdigit() and len(size) <= MAX_SIZE_DIGITS else extension.size,
        is_sparse=any(key.startswith(_SPARSE_KEY) for key in fields),
    )


def _sparse_map_bytes(file: IO[bytes], block: bytes) -> int:
    """Return the size of the blocks that continue the map of a sparse file (GNU tar)."""
    size, is_continued = 0, block[482] != 0
    while is_continued:
        block = file.read(TAR_BLOCK_BYTES)
        if len(block) < TAR_BLOCK_BYTES:
            raise _Damaged
        size, is_continued = size + TAR_BLOCK_BYTES, block[504] != 0
    return size


def _pax_fields(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the records of a pax header, each ``length key=value`` and a line feed."""
    position = 0
    while position < len(data):
        digits = data[position : position + MAX_SIZE_DIGITS].split(b" ", 1)[0]
        length = int(digits) if digits.isdigit() else 0
        record, end = data[position + len(digits) + 1 : position + length], position + length
        key, equals, value = record[:-1].partition(b"=")
        if length <= len(digits) + 2 or end > len(data) or not equals or record[-1:] != b"\n":
            raise _Damaged
        yield key, value
        position = end


def _number(field: bytes) -> int:
    """Return a size: octal digits, or in base 256 if the first bit is set (GNU tar)."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not all(0x30 <= digit <= 0x37 for digit in digits):
        raise _Damaged
    return int(digits or b"0", 8)


def _short_name(block: bytes) -> str:
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(data: bytes) -> str:
    return data[:MAX_NAME_BYTES].split(b"\0", 1)[0].decode("utf-8", "replace")
