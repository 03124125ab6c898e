"""JSON lines that end in a checksum of themselves, and how lines of an unknown file are read.

A long line ends in a *body*, which its checksum covers, too: who only wants to know what the line
is about need not parse it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Optional

#: Bytes of a line; longer ones count as damaged. Some 30,000 measurements of one study fit.
MAX_LINE = 16 << 20
#: Last key of a line: CRC-32 of all bytes before the key, as eight hexadecimal digits.
CHECKSUM = "crc32"
#: Key of the body, an object; the last key before the checksum.
BODY = "body"
#: How a body begins. No text in JSON contains this: before a quote in a text is a backslash.
_BODY_START = b', "%s": {' % BODY.encode("ascii")


@dataclass(frozen=True)
class Line:
    """One line of a file.

    Attributes:
        offset: Bytes before it.
        end: Bytes up to its end.
        content: Its bytes, at most `MAX_LINE`; empty if it is longer.
        is_complete: True if it ends in a line feed.
    """

    offset: int
    end: int
    content: bytes
    is_complete: bool


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Yield each line of a file; of a long one only its place, so memory is bounded."""
    offset = 0
    while piece := file.readline(MAX_LINE):
        content, end = piece, offset + len(piece)
        while not piece.endswith(b"\n") and (more := file.readline(MAX_LINE)):
            content, piece, end = b"", more, end + len(more)
        yield Line(offset, end, content, piece.endswith(b"\n"))
        offset = end


def encode(entry: Mapping[str, Any]) -> bytes:
    """Return a JSON object as a line of ASCII with its checksum.

    >>> encode({"name": "a"})
    b'{"name": "a", "crc32": "74fb1dff"}\\n'
    """
    content = json.dumps(entry)[:-1] + (", " if entry else "")
    return content.encode("ascii") + _tail(content.encode("ascii"))


def decode(line: bytes, needs_checksum: bool) -> Optional[dict[str, Any]]:
    """Return the JSON object of a line without its checksum; None if the line is damaged.

    Args:
        line: With its line feed.
        needs_checksum: A line without a checksum is damaged.
    """
    if needs_checksum and not has_checksum(line):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or (CHECKSUM in entry) != has_checksum(line):
        return None
    entry.pop(CHECKSUM, None)
    return entry


def decode_head(line: bytes, needs_checksum: bool) -> Optional[dict[str, Any]]:
    """As `decode`, but of a body only the checksum is checked; an empty one stands for it."""
    head, begins, _ = line.partition(_BODY_START)
    if not begins:
        return decode(line, needs_checksum)
    if not has_checksum(line):
        return None
    try:
        entry = json.loads(head + begins + b"}}")
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def has_checksum(line: bytes) -> bool:
    """Return whether a line ends in a checksum that agrees with the rest of it."""
    tail = len(_tail(b""))
    return line[-tail:] == _tail(line[:-tail])


def _tail(content: bytes) -> bytes:
    return b'"%s": "%08x"}\n' % (CHECKSUM.encode("ascii"), zlib.crc32(content))
