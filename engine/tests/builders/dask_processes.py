"""A Dask scheduler and its workers, in processes of their own on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

#: Seconds until a process of Dask must have started, or ended.
PATIENCE_S = 120.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@dataclass
class DaskProcesses:
    """A scheduler, and workers of one thread that are added and killed."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The scheduler's file."""
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return str(json.loads(self.file.read_text())["address"])

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        """Start the scheduler, and wait until it answers."""
        started = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show")
        wait_until(self._has_file, "no scheduler")
        return started

    def add_worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until the scheduler knows it."""
        before = self.workers()
        command = ("worker", "--nthreads", "1", "--host", "127.0.0.1", *options)
        command += ("--local-directory", str(self.folder), "--memory-limit", "0")
        started = self._start(*command, **environment)
        wait_until(lambda: self.workers() > before, "no worker")
        return started

    def workers(self) -> int:
        """Return the number of workers that the scheduler knows."""
        return self.ask(lambda client: len(client.nthreads()))

    def tasks(self) -> int:
        """Return the number of tasks that the scheduler knows."""

        def count(dask_scheduler: Any) -> int:
            return len(dask_scheduler.tasks)

        count.__module__ = "__main__"  # pickled by value: the scheduler cannot import this file
        return self.ask(lambda client: client.run_on_scheduler(count))

    def ask(self, question: Callable[[Any], int]) -> int:
        """Ask the scheduler as a client of its own."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return question(client)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and those that it has started."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _has_file(self) -> bool:
        try:
            return bool(self.address)
        except (OSError, ValueError):
            return False

    def _start(self, kind: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        file = ("--scheduler-file", str(self.file), "--no-dashboard")
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", kind, *file, *options],
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process


@contextmanager
def dask_processes(folder: Path, **environment: str) -> Iterator[DaskProcesses]:
    """A running scheduler without workers; all processes end with the block."""
    dask = DaskProcesses(folder, environment)
    try:
        dask.start_scheduler()
        yield dask
    finally:
        for process in reversed(dask.processes):
            dask.kill(process)
