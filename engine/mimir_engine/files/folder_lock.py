"""Keep other processes from an output folder, and tidy up after those that were killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.file_lock import lock_file
from mimir_engine.files.leftovers import sweep_leftovers

#: File that is locked; it exists only while its folder is in use, or after a process was killed.
LOCK_FILE = ".mimir.lock"
#: Never through a link, and never waiting for the other end of a pipe.
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for one process; it is made if it does not exist, and leftovers are removed.

    The lock ends with the block or with the process, however that ends. If the file system has no
    locks, no process is kept out.

    Raises:
        MimirError: ``OUTPUT_IN_USE`` if another process, or another block of this one, holds the
            folder; ``OUTPUT_UNWRITABLE``.
    """
    with _held(folder / LOCK_FILE, folder):
        yield


@contextmanager
def name_lock(path: Path) -> Iterator[None]:
    """Hold a folder that does not exist yet, or will be replaced as a whole; as `folder_lock`."""
    name = sha256(os.fsencode(path.name)).hexdigest()[:16]
    with _held(path.parent / f".mimir-{name}.lock", path):
        yield


@contextmanager
def _held(lock: Path, place: Path) -> Iterator[None]:
    with output_errors(place):
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(lock, place)
    try:
        sweep_leftovers(lock.parent)
        yield
    finally:
        if os.name == "nt":  # an open file cannot be removed
            os.close(descriptor)
        with suppress(OSError):
            lock.unlink()
        if os.name != "nt":
            os.close(descriptor)


def _locked(path: Path, place: Path) -> int:
    """Open and lock the file; if its owner has removed it meanwhile, once more."""
    while True:
        descriptor = os.open(path, _FLAGS, 0o666)
        try:
            if lock_file(descriptor) is False:
                raise MimirError(
                    "OUTPUT_IN_USE",
                    f"another run of MIMIR is writing to '{place}'",
                    "Wait for it to end, or choose another folder.",
                )
            if os.name == "nt" or _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
