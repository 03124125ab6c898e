"""Read the layout of torch 1.6 and newer: a zip archive of stored entries.

In one folder of any name lie ``data.pkl``, ``data/KEY`` for each storage, and from 2.1 on
``byteorder``. ``torch.save`` compresses nothing.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import IO

from mimir_engine.files.bounded_zip import open_zip
from mimir_engine.torch_file.interpreter import read_pickle
from mimir_engine.torch_file.opcodes import MAX_PICKLE_BYTES
from mimir_engine.torch_file.places import Layout, Place
from mimir_engine.torch_file.refusal import unreadable
from mimir_engine.torch_file.tensor import Storage

SIGNATURE = b"PK\x03\x04"
#: A local header: signature, fields that the directory repeats, lengths of name and extra field.
LOCAL_HEADER = struct.Struct("<4s22xHH")
#: Entries of the archive: a ResNet101 with the moments of Adam has 1,300 storages.
MAX_ENTRIES = 20_000
#: What zipfile raises on damaged archives.
_DAMAGE = (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, struct.error)


def read_zip_layout(file: IO[bytes], size: int) -> Layout:
    """Read the pickle, and find the storages.

    Args:
        file: Open file.
        size: Its size in bytes.

    Raises:
        MimirError: ``SNAPSHOT_UNSAFE`` or ``SNAPSHOT_UNREADABLE``.
    """
    entries = _entries(file)
    places = _places(file, size, entries)
    (top,) = _tops(entries)
    if f"{top}/byteorder" in places and _small(file, places[f"{top}/byteorder"]) != b"little":
        raise unreadable("its numbers are big-endian")
    content, storages = read_pickle(io.BytesIO(_small(file, places[f"{top}/data.pkl"])))
    return Layout(
        content, {key: _place_of(s, f"{top}/data/", places) for key, s in storages.items()}
    )


def _entries(file: IO[bytes]) -> list[zipfile.ZipInfo]:
    try:
        entries = open_zip(file.fileno()).infolist()
    except (*_DAMAGE, NotImplementedError) as error:
        raise unreadable("the list of its entries is damaged") from error
    if len(entries) > MAX_ENTRIES or len({entry.filename for entry in entries}) < len(entries):
        raise unreadable("it has too many entries, or two of the same name")
    for entry in entries:
        plain = entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
        if not plain or entry.compress_size != entry.file_size:
            raise unreadable("its entries are compressed or encrypted")
    return entries


def _tops(entries: list[zipfile.ZipInfo]) -> list[str]:
    found = [entry.filename for entry in entries if entry.filename.count("/") == 1]
    tops = [name[: -len("/data.pkl")] for name in found if name.endswith("/data.pkl")]
    if len(tops) != 1:
        raise unreadable(f"it has {len(tops) or 'no'} data.pkl, not one")
    return tops


def _places(file: IO[bytes], size: int, entries: list[zipfile.ZipInfo]) -> dict[str, Place]:
    """Find the entries' contents, which must lie in the file one after the other."""
    places, end = {}, 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        start = _content_start(file, entry.header_offset)
        if entry.header_offset < end or start + entry.file_size > size:
            raise unreadable("its entries overlap or end behind it")
        end = start + entry.file_size
        places[entry.filename] = Place(start, entry.file_size, entry.CRC)
    return places


def _content_start(file: IO[bytes], header: int) -> int:
    file.seek(max(header, 0))
    data = file.read(LOCAL_HEADER.size)
    if header < 0 or len(data) < LOCAL_HEADER.size or not data.startswith(SIGNATURE):
        raise unreadable("an entry is not where the list says")
    _, name, extra = LOCAL_HEADER.unpack(data)
    return header + LOCAL_HEADER.size + int(name) + int(extra)


def _small(file: IO[bytes], place: Place) -> bytes:
    if place.size > MAX_PICKLE_BYTES:
        raise unreadable("its list of contents is too long")
    file.seek(place.start)
    data = file.read(place.size)
    if zlib.crc32(data) != place.crc:
        raise unreadable("its list of contents is damaged")
    return data


def _place_of(storage: Storage, prefix: str, places: dict[str, Place]) -> Place:
    place = places.get(prefix + storage.key)
    if place is None or place.size != storage.size:
        raise unreadable("a storage is missing or has another size than stated")
    return place
