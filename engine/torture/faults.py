"""Let the n-th operation on a file fail, or end the process there.

Put in place before the engine is imported: files that are opened from then on count what is done to
them, and `at` chooses where one operation goes wrong. Without a choice all is as usual.
"""

from __future__ import annotations

import builtins
import errno
import inspect
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Optional

#: Operations that do not need room on the disk.
READS = ("open to read", "read")


class Faults:
    """Counts operations; one of them goes wrong."""

    def __init__(self) -> None:
        self.mode, self.number = "", -1
        self.done: list[str] = []
        self.has_struck = False
        self._lock = threading.Lock()

    def at(self, mode: str, number: int) -> None:
        """Let operation ``number`` go wrong, counted from now on from 0.

        Args:
            mode: ``fail``: once; ``full``: it and all later ones that write, as on a full disk;
                ``kill``: the process is killed, in the middle of what it writes.
            number: The operation, of those that write for ``full`` and ``kill``, since it does not
                matter where between two of them a run is killed; -1 for none.
        """
        self.mode, self.number, self.done, self.has_struck = mode, number, [], False

    def operation(self, what: str, begin: Callable[[], object] = int) -> None:
        """Count an operation before it is done; raise, or end the process, if its turn has come.

        ``begin`` does a part of it.
        """
        with self._lock:
            if self.mode in ("full", "kill") and what in READS:
                return
            number = len(self.done)
            self.done.append(what)
            is_it = number == self.number or (self.mode == "full" and number > self.number >= 0)
        if not is_it:
            return
        self.has_struck = True
        if self.mode == "kill":
            begin()
            os.kill(os.getpid(), signal.SIGKILL)
        code = errno.EIO if what in READS else errno.ENOSPC
        raise OSError(code, os.strerror(code))


FAULTS = Faults()
#: Opens files whose operations do not count.
PLAIN_OPEN = open


class CountedFile(io.FileIO):
    """A file whose operations count."""

    def __init__(
        self, file: Any, mode: str = "r", closefd: bool = True, opener: Any = None
    ) -> None:
        if not isinstance(file, int):
            FAULTS.operation("open to read" if mode in ("r", "rb") else "open to write")
        super().__init__(file, mode, closefd, opener)

    def write(self, data: Any) -> int:
        content = memoryview(data).cast("B")
        FAULTS.operation("write", lambda: io.FileIO.write(self, content[: len(content) // 2]))
        return super().write(content)

    def readinto(self, buffer: Any) -> int:
        FAULTS.operation("read")
        return super().readinto(buffer)

    def read(self, size: int = -1) -> bytes:
        FAULTS.operation("read")
        return super().read(size)

    def readall(self) -> bytes:
        FAULTS.operation("read")
        return super().readall()

    def truncate(self, size: Optional[int] = None) -> int:
        FAULTS.operation("truncate")
        return super().truncate(size)


def counted_open(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: Optional[str] = None,
    errors: Optional[str] = None,
    newline: Optional[str] = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """Open a file as ``open`` does, but one whose operations count."""
    raw = CountedFile(file, mode.replace("b", "").replace("t", ""), closefd, opener)
    if buffering == 0:
        return raw
    buffered: Any
    if "+" in mode:
        buffered = io.BufferedRandom(raw)
    elif "r" in mode:
        buffered = io.BufferedReader(raw)
    else:
        buffered = io.BufferedWriter(raw)
    if "b" in mode:
        return buffered
    text = io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline, buffering == 1)
    text.mode = mode  # type: ignore[misc]
    return text


def install() -> None:
    """Replace the functions that open, rename and write files."""
    builtins.open = io.open = counted_open  # type: ignore[assignment]
    io.FileIO = CountedFile  # type: ignore[misc, assignment]
    for name in (
        "replace",
        "rename",
        "mkdir",
        "unlink",
        "remove",
        "rmdir",
        "fsync",
        "write",
        "ftruncate",
        "link",
    ):
        if hasattr(os, name):
            setattr(os, name, _counted(name, getattr(os, name)))
    plain = os.open

    def counted_os_open(path: Any, flags: int, *more: Any, **options: Any) -> int:
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        FAULTS.operation("open to write" if writes else "open to read")
        return plain(path, flags, *more, **options)

    os.open = counted_os_open


def _counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def counted(first: Any, *more: Any, **options: Any) -> Any:
        FAULTS.operation(name)
        return function(first, *more, **options)

    return counted


class Allocations:
    """Lets memory run out at a call of one of the engine's functions."""

    def __init__(self, home: str) -> None:
        self._home = home
        self.calls: dict[tuple[str, str], int] = {}
        self._target: Optional[tuple[str, str]] = None
        self._number = 0
        self.has_struck = False

    def at(self, function: Optional[tuple[str, str]], number: int = 0) -> None:
        """Count calls from now on, and raise at one of a function's, if one is given."""
        self.calls, self._target, self._number = {}, function, number
        self.has_struck = False
        sys.setprofile(self._note)
        threading.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self._home):
            return
        if code.co_flags & inspect.CO_GENERATOR:  # closing one is a call, too, and must not raise
            return
        key = _name(code)
        count = self.calls.get(key, 0)
        self.calls[key] = count + 1
        if key == self._target and count == self._number:
            self.has_struck = True
            raise MemoryError


def _name(code: CodeType) -> tuple[str, str]:
    return os.path.basename(code.co_filename), f"{code.co_name}:{code.co_firstlineno}"
