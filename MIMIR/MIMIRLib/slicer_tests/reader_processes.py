"""Find the processes that read a study, to do them harm in tests; only on Linux."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
#: Whether the system lists its processes and their open files.
LISTS_PROCESSES = (PROCESSES / "self" / "fd").is_dir()


class Harm:
    """Sends a signal to each process that reads an archive, once.

    >>> harm = Harm(archive, signal.SIGKILL)
    >>> while not job.is_over:
    ...     harm.strike()
    ...     job.step()

    Args:
        archive: A study's zip archive; nothing else may open it.
        signal_number: The signal.

    Attributes:
        victims: Numbers of the processes that have received it.
    """

    def __init__(self, archive: Path, signal_number: int) -> None:
        self._archive, self._signal = archive, signal_number
        self.victims: set[int] = set()
        self._sessions: set[int] = set()

    def strike(self) -> None:
        """Send the signal to the processes that read the archive now."""
        for process in set(_readers_of(self._archive)) - self.victims:
            with suppress(ProcessLookupError):
                self._sessions.add(os.getsid(process))
                self.victims.add(process)
                os.kill(process, self._signal)

    @property
    def survivors(self) -> list[int]:
        """Living processes of the runs that were harmed: engines and their readers."""
        return [process for process in _processes() if self._is_of_a_run(process)]

    def _is_of_a_run(self, process: int) -> bool:
        with suppress(OSError):
            state = (PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()[0]
            return state not in "ZX" and os.getsid(process) in self._sessions
        return False


def _readers_of(archive: Path) -> Iterator[int]:
    """Yield the numbers of the other processes that have an archive open."""
    for process in _processes():
        with suppress(OSError):
            files = (PROCESSES / str(process) / "fd").iterdir()
            if process != os.getpid() and str(archive) in map(os.readlink, files):
                yield process


def _processes() -> list[int]:
    return [int(path.name) for path in PROCESSES.glob("[0-9]*")]
