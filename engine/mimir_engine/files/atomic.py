"""Write files and folders atomically: under a temporary name first, then renamed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Optional

from mimir_engine.errors import MimirError
from mimir_engine.files.leftovers import REPLACED, temporary_file, temporary_folder


@contextmanager
def atomic_file(path: Path, sync: bool = True) -> Iterator[BinaryIO]:
    """Open a binary file that appears at its path once the block ends without an error.

    It has the permissions of the file that it replaces, or else those of the umask. Only regular
    files are replaced: never a link, a device or a pipe.

    Args:
        path: The file.
        sync: It is on the disk when it appears; otherwise a power cut may damage it.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(path):
        mode = _mode_of_replaced(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = temporary_file(path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if mode is not None and hasattr(os, "fchmod"):
                    os.fchmod(descriptor, mode)
                yield file
                file.flush()
                if sync:
                    os.fsync(descriptor)
                if os.name != "nt":  # while it is locked; Windows renames closed files only
                    os.replace(temporary, path)
            if os.name == "nt":
                os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        if sync:
            sync_folder(path.parent)


@contextmanager
def atomic_folder(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Make a folder that appears at its path once the block ends without an error.

    Args:
        path: Where it appears.
        overwrite: Replace a folder that is there; otherwise that is an error.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path.parent) as scratch:
            new = scratch / "new"
            new.mkdir()
            yield new
            sync_folder(new)
            if overwrite and path.exists():
                (scratch / REPLACED).mkdir()
                os.rename(path, scratch / REPLACED / path.name)
            os.rename(new, path)
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, where the system can."""
    if os.name != "nt":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _mode_of_replaced(path: Path) -> Optional[int]:
    """Return the permissions of the file that will be replaced, None if there is none.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE`` if it is not a regular file.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISREG(mode):
        return stat.S_IMODE(mode)
    kinds = ((stat.S_ISLNK, "a link"), (stat.S_ISDIR, "a folder"))
    kind = next((text for is_kind, text in kinds if is_kind(mode)), "a device or a pipe")
    raise MimirError(
        "OUTPUT_UNWRITABLE",
        f"'{path}' is {kind}; only regular files are replaced",
        "Choose another file.",
    )


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
