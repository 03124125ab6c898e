"""Lock an open file, so that another process can tell that it is in use."""

from __future__ import annotations

import errno
import os
import sys
from typing import Optional


def lock_file(descriptor: int) -> Optional[bool]:
    """Lock an open file until it is closed or the process ends, without waiting.

    Args:
        descriptor: Of a file that is open for writing.

    Returns:
        True if the file is locked now, False if another process or another open file has locked
        it, None if the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK) else None
    return True


def is_locked(descriptor: int) -> Optional[bool]:
    """Return whether a file is locked; None if the file system has no locks.

    Others may ask at the same time. A process that locks the file at that moment finds it locked.

    Args:
        descriptor: Of an open file, which is closed soon.
    """
    if sys.platform == "win32":
        locked = lock_file(descriptor)
        return None if locked is None else not locked
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return False
