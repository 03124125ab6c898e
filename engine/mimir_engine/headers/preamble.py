"""Put the missing preamble in front of a bare DICOM data set.

Some tools write the data set alone, without the 128 bytes, the letters DICM and the file meta
information that begin a DICOM file (PS3.10 7.1).
"""

from __future__ import annotations

import struct
from typing import Optional

from mimir_engine.source.open_source import Entry

#: The letters behind the preamble, and their position.
MAGIC, _MAGIC_POSITION = b"DICM", 128
#: First bytes of a data set: its group, 0002 if the file meta information is there, else 0008.
_META_GROUP, _FIRST_GROUP = b"\2\0", b"\x08\0"
#: Largest element of the group 0008 with which a data set begins.
_MAX_FIRST_ELEMENT = 0x0100
_EXPLICIT, _IMPLICIT = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0"


def has_preamble(first: bytes) -> bool:
    """Return whether the first bytes of a file are those of a DICOM file."""
    return first[_MAGIC_POSITION : _MAGIC_POSITION + len(MAGIC)] == MAGIC


def with_preamble(entry: Entry, first: bytes) -> Optional[Entry]:
    """Return the same file with preamble and file meta information.

    Args:
        entry: A file without them.
        first: Its first bytes.

    Returns:
        The completed file; None if the file does not begin like a data set in little endian.
    """
    if len(first) < 8:
        return None
    group, element = first[:2], struct.unpack("<H", first[2:4])[0]
    if group == _META_GROUP and element <= 1 and first[4:6].isalpha():
        front = bytes(_MAGIC_POSITION) + MAGIC
    elif group == _FIRST_GROUP and element <= _MAX_FIRST_ELEMENT:
        is_explicit = first[4:6].isalpha() and first[4:6].isupper()
        if not is_explicit and struct.unpack("<I", first[4:8])[0] > entry.size:
            return None
        front = bytes(_MAGIC_POSITION) + MAGIC + _meta(_EXPLICIT if is_explicit else _IMPLICIT)
    else:
        return None

    def read(count: int) -> bytes:
        if count < 0:
            return front + entry.read(-1)
        return (front + entry.read(max(count - len(front), 1)))[:count]

    return Entry(entry.name, entry.size + len(front), read)


def _meta(syntax: bytes) -> bytes:
    return struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", len(syntax)) + syntax
