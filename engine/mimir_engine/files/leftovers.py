"""Name temporary files and folders, and remove those that killed processes left behind.

Their names say nothing of their owner and cannot be guessed. Each owner locks its file, so that
another process can tell that it is in use; a temporary folder has such a file beside it.
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
PREFIX, SUFFIX, FOLDER_SUFFIX = ".mimir-", ".part", ".part.d"
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
    while True:
        path = folder / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        descriptor = os.open(path, _NEW, 0o666)
        if lock_file(descriptor) is not False and path.exists():
            return descriptor, path
        os.close(descriptor)  # another process swept it before it was locked


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Make a folder that is removed at the end of the block, with what is left in it.

    What the block has moved to ``replaced/`` in it goes back if nothing has taken its place.

    Raises:
        OSError: It cannot be made.
    """
    descriptor, owner = temporary_file(parent)
    folder = owner.with_suffix(FOLDER_SUFFIX)
    try:
        folder.mkdir()
        yield folder
    finally:
        with suppress(OSError):  # what stays is removed by the next process
            _remove_folder(folder)
        os.close(descriptor)
        with suppress(OSError):
            owner.unlink()


def sweep_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of processes that have ended.

    Only names of this file's form are touched, and never one whose owner still runs. What cannot be
    removed stays.
    """
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(PREFIX) and name.endswith((SUFFIX, FOLDER_SUFFIX)):
                with suppress(OSError):
                    _sweep(folder / name)


def _sweep(path: Path) -> None:
    mode = os.lstat(path).st_mode
    if path.name.endswith(FOLDER_SUFFIX):
        if stat.S_ISDIR(mode) and not _in_use(path.with_suffix("")):
            _remove_folder(path)
    elif stat.S_ISREG(mode) and not _in_use(path):
        path.unlink()


def _in_use(path: Path) -> bool:
    try:
        descriptor = os.open(path, _OLD)
    except FileNotFoundError:  # it is there before its folder, and longer
        return False
    try:
        locked = lock_file(descriptor)
        age = time.time() - os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
    return locked is False or (locked is None and age < MIN_AGE_WITHOUT_LOCKS)


def _remove_folder(folder: Path) -> None:
    """Remove a temporary folder, after what it keeps of others is back in its place."""
    with suppress(FileNotFoundError):
        for kept in (folder / REPLACED).iterdir():
            if not os.path.lexists(folder.parent / kept.name):
                os.rename(kept, folder.parent / kept.name)
    shutil.rmtree(folder, ignore_errors=True)
