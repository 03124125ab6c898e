"""Read the instructions of a pickle one by one, within limits."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from typing import IO, Any, cast

from mimir_engine.torch_file.refusal import unreadable

#: Instructions of a pickle: a ResNet50's with the moments of Adam has 30,000. No instruction that
#: is carried out makes more than one value, so this also limits stack, memo and nesting.
MAX_OPCODES = 200_000
#: Bytes of a pickle: that of a ResNet50 with the moments of Adam has 150,000.
MAX_PICKLE_BYTES = 8 << 20
#: Bytes of an instruction's argument: the longest are names of layers.
MAX_ARGUMENT_BYTES = 4096


def instructions(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield name and argument of each instruction, and leave the file behind the last, ``STOP``.

    Raises:
        MimirError: ``SNAPSHOT_UNREADABLE``.
    """
    try:
        for index, (opcode, argument, _) in enumerate(pickletools.genops(_limited(file))):
            if index == MAX_OPCODES:
                raise unreadable(f"it has more than {MAX_OPCODES:,} instructions")
            yield opcode.name, argument
    except ValueError as error:  # genops raises it for all damage
        raise unreadable("its list of contents is damaged") from error


def _limited(file: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", _Limited(file))  # genops asks for no more than it has


class _Limited:
    """A file that is read in small pieces: a length in it reserves no memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MAX_PICKLE_BYTES

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MAX_ARGUMENT_BYTES:
            raise ValueError("too long an argument")
        return self._counted(self._file.read(size))

    def readline(self) -> bytes:
        return self._counted(self._file.readline(MAX_ARGUMENT_BYTES))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("too long a pickle")
        return data
