"""Find the processes that read a study, to do them harm in tests; only on Linux.

Run as a script, it is the process that watches: ``reader_processes.py ARCHIVE SIGNAL IGNORED``.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
#: Whether the system lists its processes and their open files.
LISTS_PROCESSES = sys.platform == "linux" and (PROCESSES / "self" / "fd").is_dir()
#: Time between two looks for readers (seconds).
LOOK_S = 0.002


class Harm:
    """Sends a signal to each process that reads an archive, once.

    A process of its own does so: a test's own process may be busy, in Slicer with drawing, while
    the archive is open.

    >>> with Harm(archive, signal.SIGKILL) as harm:
    ...     job.run()
    >>> harm.victims

    Args:
        archive: A study's zip archive; nothing else may open it.
        signal_number: The signal; 0 only notes the processes.
        python: A Python program.
    """

    def __init__(self, archive: Path, signal_number: int, python: str = sys.executable) -> None:
        watcher = [python, __file__, str(archive), str(int(signal_number)), str(os.getpid())]
        self._watcher = subprocess.Popen(
            watcher, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._watcher.stdin is not None
        assert self._watcher.stdout is not None
        self._stdin, self._stdout = self._watcher.stdin, self._watcher.stdout
        self._noted = b""
        if self._stdout.readline() != b"watching\n":
            raise RuntimeError("the process that watches readers did not start")
        os.set_blocking(self._stdout.fileno(), False)

    def __enter__(self) -> Harm:
        """Watch until the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop watching."""
        self.stop()

    def stop(self) -> None:
        """End the process that watches; what it noted stays."""
        self._stdin.close()
        self._watcher.wait()
        self._struck()  # keeps what it noted
        self._stdout.close()

    @property
    def victims(self) -> list[int]:
        """Numbers of the processes that have received the signal."""
        return [process for process, _ in self._struck()]

    @property
    def survivors(self) -> list[int]:
        """Living processes of the runs that were harmed: engines and their readers."""
        sessions = {session for _, session in self._struck()}
        return [process for process in _processes() if _lives_in(process, sessions)]

    def _struck(self) -> list[tuple[int, int]]:
        """Return numbers of processes, and of their sessions."""
        while not self._stdout.closed and (news := self._stdout.read(4096)):
            self._noted += news
        lines = self._noted.decode("ascii").split("\n")[:-1]
        return [(int(process), int(session)) for process, session in map(str.split, lines)]


def watch(archive: str, signal_number: int, ignored: set[int]) -> None:
    """Send a signal to each process that opens an archive, and print it, until standard input ends.

    Args:
        archive: Path of the archive.
        signal_number: The signal.
        ignored: Numbers of processes that may open it.
    """
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], LOOK_S)[0]:
        for process in set(_readers_of(archive)) - ignored:
            with suppress(ProcessLookupError):
                session = os.getsid(process)
                os.kill(process, signal_number)
                print(process, session, flush=True)
                ignored.add(process)


def _lives_in(process: int, sessions: set[int]) -> bool:
    with suppress(OSError):
        state = (PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" and os.getsid(process) in sessions
    return False


def _readers_of(archive: str) -> Iterator[int]:
    """Yield the numbers of the processes that have an archive open."""
    for process in _processes():
        with suppress(OSError):
            files = (PROCESSES / str(process) / "fd").iterdir()
            if archive in map(os.readlink, files):
                yield process


def _processes() -> list[int]:
    return [int(path.name) for path in PROCESSES.glob("[0-9]*")]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(sys.argv[1], int(sys.argv[2]), {os.getpid(), int(sys.argv[3])})
