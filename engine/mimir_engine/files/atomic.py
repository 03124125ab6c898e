"""Write files atomically: under a temporary name first, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mimir_engine.errors import MimirError


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that appears at its path once the block ends without an error.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.part")
        try:
            with temporary.open("wb") as file:
                yield file
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn an operating-system error in the block into an error about this file or folder.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    try:
        yield
    except OSError as error:
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"'{path}' cannot be written ({error.strerror or type(error).__name__})",
            "Free some space, choose another place, or close the program that has it open.",
        ) from error
