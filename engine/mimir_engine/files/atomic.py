"""Files that are there whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mimir_engine.errors import MimirError


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write to; it takes its place when the block ends without an error.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        try:
            with beside.open("wb") as file:
                yield file
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one line what keeps a file or folder from being written.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    try:
        yield
    except OSError as error:
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"'{path}' cannot be written ({error.strerror or type(error).__name__})",
            "Make room, choose another place, or close the program that has it open.",
        ) from error


def plain_file_name(name: str) -> str:
    """A study's name as part of a file's name, on every platform: leads out of no folder."""
    return "".join(c if c.isalnum() or c in "._- " else "_" for c in name).strip(". ") or "study"
