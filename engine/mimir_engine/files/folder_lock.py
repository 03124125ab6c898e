"""Keep other processes from an output folder, and tidy up after those that were killed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.file_lock import is_locked, lock_file
from mimir_engine.files.leftovers import sweep_leftovers

#: File that is locked; it exists only while its folder is in use, or after a process was killed.
LOCK_FILE = ".mimir.lock"
#: Seconds between attempts to lock a file, and their number: who asks whether it is locked holds it
#: for less than a thousandth of a second.
RETRY_S, MAX_TRIES = 0.05, 5
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


def is_held(folder: Path) -> Optional[bool]:
    """Return whether a process holds a folder, without holding it; None if that cannot be told.

    Processes on other computers are seen if the file system passes locks on.
    """
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    access = os.O_RDWR if os.name == "nt" else os.O_RDONLY
    try:
        descriptor = os.open(folder / LOCK_FILE, access | flags)
    except OSError as error:
        return False if isinstance(error, (FileNotFoundError, NotADirectoryError)) else None
    try:
        return is_locked(descriptor)
    finally:
        os.close(descriptor)


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
            if not _lock(descriptor):
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


def _lock(descriptor: int) -> bool:
    """Lock a file, if another process does not hold it for longer than a moment."""
    for attempt in range(MAX_TRIES):
        if lock_file(descriptor) is not False:
            return True
        time.sleep(RETRY_S if attempt < MAX_TRIES - 1 else 0)
    return False


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
