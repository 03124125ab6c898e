"""Name temporary files and folders, and remove those that killed processes left behind.

Their names say nothing of their owner and cannot be guessed. Each owner locks its own, so that
another process can tell that it is in use.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mimir_engine.files.file_lock import lock_file

#: Temporary names: short, so that they are valid wherever the final name is.
PREFIX, SUFFIX = ".mimir-", ".part"
#: Locked file in a temporary folder.
OWNER_FILE = "owner"
#: Folder in a temporary folder: what its block has moved out of the way.
REPLACED = "replaced"
#: Age in seconds below which a leftover is kept where files cannot be locked: longer than any
#: single file takes to write.
MIN_AGE_WITHOUT_LOCKS = 24 * 3600
#: Refuses links and files that exist, and does not wait for the other end of a pipe.
_NEW = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_OLD = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def temporary_file(folder: Path) -> tuple[int, Path]:
    """Create and lock a file with the permissions of the umask; return descriptor and path.

    Raises:
        OSError: It cannot be made.
    """
    path = folder / _new_name()
    descriptor = os.open(path, _NEW, 0o666)
    lock_file(descriptor)
    return descriptor, path


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Make a folder that is removed at the end of the block, with what is left in it.

    What the block has moved to ``replaced/`` in it goes back if nothing has taken its place.

    Raises:
        OSError: It cannot be made.
    """
    folder = parent / _new_name()
    folder.mkdir()
    descriptor = os.open(folder / OWNER_FILE, _NEW, 0o666)
    try:
        lock_file(descriptor)
        yield folder
    finally:
        os.close(descriptor)
        _remove_folder(folder)


def sweep_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of processes that have ended.

    Only names of this file's form are touched, and never one whose owner still runs. What cannot be
    removed stays.
    """
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(PREFIX) and name.endswith(SUFFIX):
                with suppress(OSError):
                    _sweep(folder / name)


def _new_name() -> str:
    return f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"


def _sweep(path: Path) -> None:
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode):
        if not _in_use(path / OWNER_FILE, found):
            _remove_folder(path)
    elif stat.S_ISREG(found.st_mode) and not _in_use(path, found):
        path.unlink()


def _in_use(path: Path, found: os.stat_result) -> bool:
    try:
        descriptor = os.open(path, _OLD)
    except FileNotFoundError:  # a folder whose owner was killed before it could lock it
        return time.time() - found.st_mtime < MIN_AGE_WITHOUT_LOCKS
    try:
        locked = lock_file(descriptor)
    finally:
        os.close(descriptor)
    return locked is False or (
        locked is None and time.time() - found.st_mtime < MIN_AGE_WITHOUT_LOCKS
    )


def _remove_folder(folder: Path) -> None:
    """Remove a temporary folder, after what it keeps of others is back in its place."""
    with suppress(FileNotFoundError):
        for kept in (folder / REPLACED).iterdir():
            if not os.path.lexists(folder.parent / kept.name):
                os.rename(kept, folder.parent / kept.name)
    shutil.rmtree(folder, ignore_errors=True)
