"""Start a reader, ask it, and notice if it dies or takes too long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from mimir_engine.errors import MimirError
from mimir_engine.readers.message import Message, receive, send
from mimir_engine.readers.reader_limits import ReaderLimits

#: The first lines of a reader: it takes over the paths of modules, as they are here, before it
#: imports any (the working folder is not among them), and leaves Ctrl-C to who started it.
_START = """import sys
sys.path[:] = sys.argv[2:]
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from mimir_engine.readers.reader import main
main(sys.argv[1])"""
#: Seconds until a reader is ready; it takes a fraction of one, more on a disk of a network.
START_TIMEOUT_S = 300.0
#: Errors after which a reader is gone.
DEATHS = frozenset(("STUDY_CRASHED", "STUDY_TIMEOUT", "OUT_OF_MEMORY"))
#: The error that concerns all studies.
NOT_STARTED = "READER_NOT_STARTED"
#: Variables that make glibc give freed memory back (mallopt, glibc manual 3.2.5).
TRIMS_MEMORY = frozenset(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"))

#: The readers that this process has started, and that have not been ended.
_living: set[ReaderProcess] = set()


def end_readers() -> None:
    """End all readers, before this process ends without cleaning up; any thread may do so."""
    for reader in list(_living):
        with suppress(OSError):
            reader._process.kill()


def _environment() -> dict[str, str]:
    """Return the environment of a reader: one thread, and memory that is kept for the next array.

    Dask lets its workers give back each freed array at once; a reader would then take 25 % longer.
    """
    kept = {key: value for key, value in os.environ.items() if key not in TRIMS_MEMORY}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class ReaderProcess:
    """A process that reads one study at a time; one thread at a time may use it."""

    def __init__(self, module: str, limits: ReaderLimits) -> None:
        """Start it, and wait until it is ready.

        Args:
            module: Full name of the module of the engine whose functions it calls.
            limits: Memory and time for each call.

        Raises:
            MimirError: ``READER_NOT_STARTED``.
        """
        self._limits = limits
        self._has_timed_out = False
        arguments = json.dumps({"module": module, **asdict(limits)})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, arguments, *filter(None, sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise _not_started(str(error.strerror)) from error
        _living.add(self)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._replies = self._process.stdin, self._process.stdout
        try:
            self._reply(START_TIMEOUT_S)
        except EOFError:
            raise _not_started(self._end()) from None

    def call(self, function: str, arguments: Mapping[str, Any]) -> Message:
        """Call a function in the reader, and return its reply.

        After ``STUDY_CRASHED``, ``STUDY_TIMEOUT`` and ``OUT_OF_MEMORY`` the reader is gone.

        Args:
            function: Name of a function of the reader's module, which returns a ``Message``.
            arguments: JSON values.

        Raises:
            MimirError: Also what the function raises.
        """
        try:
            send(self._requests, Message({"function": function, "arguments": dict(arguments)}))
            reply = self._reply(self._limits.timeout_s)
        except (EOFError, OSError):
            raise self._death() from None
        if "error" not in reply.value:
            return Message(reply.value["value"], reply.data)
        error = MimirError(*reply.value["error"])
        if error.code in DEATHS:
            self.close()
        raise error

    @property
    def is_alive(self) -> bool:
        """False once it has died or was closed."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it at once; any thread may do so, and the call under way fails."""
        self._end()

    def close(self) -> None:
        """End it, and close its streams, while no call is under way."""
        self._end()
        for stream in (self._requests, self._replies):
            with suppress(OSError):
                stream.close()

    def _reply(self, timeout_s: float) -> Message:
        """Wait for a reply; a reader that takes too long is ended."""
        timer = threading.Timer(timeout_s, self._expire)
        timer.daemon = True
        timer.start()
        try:
            return receive(self._replies)
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._has_timed_out = True
        self._process.kill()

    def _end(self) -> str:
        """End the process and say how it ended."""
        _living.discard(self)
        with suppress(OSError):
            self._process.kill()
        status = self._process.wait()
        if status >= 0:
            return f"exit status {status}"
        with suppress(ValueError):
            return signal.Signals(-status).name
        return f"signal {-status}"

    def _death(self) -> MimirError:
        """Describe the death of the reader while it read a study."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)  # its own end, if its streams closed first
        how = self._end()
        self.close()
        if self._has_timed_out:
            return MimirError(
                "STUDY_TIMEOUT",
                f"reading this study took longer than {self._limits.timeout_s:g} s",
                "If it is very large or lies on a slow disk, allow more time (--timeout; in"
                " Slicer's Python console: timeout).",
            )
        return MimirError(
            "STUDY_CRASHED",
            f"the process that read this study ended unexpectedly ({how})",
            "Its files are probably damaged: export or download the study again.",
        )


def _not_started(how: str) -> MimirError:
    return MimirError(
        "READER_NOT_STARTED",
        f"the process that reads studies could not be started ({how})",
        "Close other programs, or allow more memory with --memory.",
    )
