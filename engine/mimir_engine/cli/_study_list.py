"""Lists of studies as JSON lines: from a file, or from the process that started this one."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from mimir_engine.cohort.sources import NamedSource, sources_from_json
from mimir_engine.errors import MimirError


def read_source_list(name: str) -> list[NamedSource]:
    """Read a list of studies.

    A parent process may end its list by an empty line and hold standard input open: this process
    then ends when that closes, however the parent dies.

    Args:
        name: A file, or ``-`` for standard input.

    Raises:
        MimirError: ``SOURCES_INVALID``, ``NO_STUDIES``, ``NAME_REPEATED``.
    """
    if name != "-":
        return sources_from_json(_lines(Path(name)))
    lines: list[bytes] = []
    for line in iter(sys.stdin.buffer.readline, b""):
        if not line.strip():
            threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
            break
        lines.append(line)
    return sources_from_json(lines)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        raise MimirError(
            "SOURCES_INVALID",
            f"the list of studies '{path}' cannot be read ({error.strerror})",
            "Check the path.",
        ) from error


def _end_with(descriptor: int) -> None:
    """End this process when the stream closes.

    The bare descriptor is read: Python's exit would wait for the lock of a buffered stream. All
    that is done is on disk, so that the same command can go on with it.
    """
    while os.read(descriptor, 4096):
        pass
    os._exit(130)
