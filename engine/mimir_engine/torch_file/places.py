"""Say where in a file each storage lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional


class Place(NamedTuple):
    """Where a storage's bytes begin, how many there are, and their CRC-32 if the file has one."""

    start: int
    size: int
    crc: Optional[int] = None


class Layout(NamedTuple):
    """The value that was saved, and the places of its storages by key."""

    content: Any
    places: Mapping[str, Place]
