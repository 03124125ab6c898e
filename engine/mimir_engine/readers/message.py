"""Messages between the engine and its readers: a JSON value, and bytes such as an image's."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import IO, Any

#: Sizes of the value and of the bytes, before them.
_HEAD = struct.Struct(">II")
#: Largest value and bytes; a projection has 196,608 bytes, a long list of files some megabytes.
MAX_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Message:
    """A request to a reader, or its reply.

    Attributes:
        value: Anything that JSON can hold.
        data: Bytes that belong to it.
    """

    value: Any
    data: bytes = b""


def send(stream: IO[bytes], message: Message) -> None:
    """Write a message; raises OSError if the other side has ended."""
    value = json.dumps(message.value).encode("ascii")
    stream.write(_HEAD.pack(len(value), len(message.data)) + value + message.data)
    stream.flush()


def receive(stream: IO[bytes]) -> Message:
    """Read a message.

    Raises:
        EOFError: The other side has ended, or writes something else.
    """
    value_size, data_size = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if max(value_size, data_size) > MAX_BYTES:
        raise EOFError
    value, data = _exactly(stream, value_size), _exactly(stream, data_size)
    try:
        return Message(json.loads(value), data)
    except (ValueError, RecursionError):
        raise EOFError from None


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content
