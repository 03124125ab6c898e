"""Keep the standard streams usable, however this process was started."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from mimir_engine.errors import MimirError

STDIN, STDOUT, STDERR = 0, 1, 2


def open_missing_streams() -> None:
    """Open standard streams that are closed, or that Windows did not give, on the null device.

    Otherwise the next file that is opened becomes a standard stream, and what C libraries print
    would be written into it.
    """
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def escape_unknown_characters() -> None:
    """Escape characters that the terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def writing(stream: IO[Any]) -> Iterator[None]:
    """Write to standard output in the block; a stream that cannot be written is given up.

    Raises:
        BrokenPipeError: The reader of the stream has ended.
        MimirError: ``OUTPUT_UNWRITABLE`` for any other error of the stream.
    """
    try:
        yield
    except OSError as error:
        discard(stream)
        if isinstance(error, BrokenPipeError):
            raise
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"standard output cannot be written ({error.strerror or type(error).__name__})",
            "Free some space, or write to another place.",
        ) from error


def discard(stream: IO[Any]) -> None:
    """Let a stream that cannot be written end at the null device, with what it still holds."""
    with suppress(OSError):  # a stream in memory has no descriptor
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
