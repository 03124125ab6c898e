"""Read the layout before torch 1.6, which ``torch.save`` still writes on request.

Five pickles follow one another: a magic number, the version, facts about the machine, the saved
value, and the keys of the storages. Then come the storages: each a count (int64) and its numbers.
"""

from __future__ import annotations

import struct
from typing import IO, Any

from mimir_engine.torch_file.interpreter import read_pickle
from mimir_engine.torch_file.places import Layout, Place
from mimir_engine.torch_file.refusal import unreadable
from mimir_engine.torch_file.tensor import Storage

#: Of ``torch.serialization``.
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
COUNT = struct.Struct("<q")


def read_older_layout(file: IO[bytes], size: int) -> Layout:
    """Read the pickles, and find the storages.

    Args:
        file: Open file, at its beginning.
        size: Its size in bytes.

    Raises:
        MimirError: ``SNAPSHOT_UNSAFE`` or ``SNAPSHOT_UNREADABLE``.
    """
    magic, version = read_pickle(file)[0], read_pickle(file)[0]
    if magic != MAGIC_NUMBER or version != PROTOCOL_VERSION:
        raise unreadable("it does not begin as one")
    machine = read_pickle(file)[0]
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise unreadable("its numbers are big-endian")
    content, storages = read_pickle(file)
    return Layout(content, _places(file, size, read_pickle(file)[0], storages))


def _places(
    file: IO[bytes], size: int, keys: Any, storages: dict[str, Storage]
) -> dict[str, Place]:
    if type(keys) is not list or not all(type(key) is str for key in keys):
        raise unreadable("it has no list of storages")
    if len(set(keys)) < len(keys) or set(keys) != storages.keys():
        raise unreadable("its list of storages is not that of its contents")
    places, at = {}, file.tell()
    for key in keys:
        file.seek(at)
        head = file.read(COUNT.size)
        if len(head) < COUNT.size or COUNT.unpack(head)[0] != storages[key].count:
            raise unreadable("a storage is missing or has another size than stated")
        places[key] = Place(at + COUNT.size, storages[key].size)
        at += COUNT.size + storages[key].size
        if at > size:
            raise unreadable("it ends too early")
    return places
