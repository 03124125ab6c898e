"""The engine in a process of its own: arguments and studies go in, events and a log come out.

It is Slicer's own Python, started in the folder of the bundled engine, so that an engine which was
installed by pip can't take its place. It ends when its standard input closes, so it never
outlives Slicer, however that ends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO, Any, Optional

from MIMIRLib.engine.import_engine import engine_folder

Event = Mapping[str, Any]

ERROR_LINE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+: \S")
"""How the engine says what stopped it, among whatever libraries write: ``CODE: what is wrong``."""

PATIENCE_S = 2.0
"""How long ``cancel`` waits for what has been killed to be gone."""

PIECE_BYTES = 1 << 16


class EngineProcess:
    """One call of ``python -m mimir_engine``. Nothing blocks but ``cancel``, for a moment.

    >>> process = EngineProcess(request.arguments(output, details), request.source_lines())
    >>> process.start()
    >>> while process.is_running:  # from a timer, in Slicer
    ...     for event in process.poll():
    ...         print(event["event"])

    Args:
        arguments: Of the engine's command line.
        input_bytes: For its standard input, which then stays open.
        python: Slicer's own Python by default.
    """

    def __init__(
        self, arguments: Sequence[str], input_bytes: bytes = b"", python: Optional[str] = None
    ) -> None:
        self._command = [python or slicer_python(), "-m", "mimir_engine", *arguments]
        self._input = input_bytes
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._readers: list[threading.Thread] = []
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._close_input = threading.Event()
        self._error = ""

    def start(self) -> None:
        """Start it; once.

        Raises:
            OSError: Where Python can't be started.
            EngineUnavailable: ``ENGINE_MISSING``.
        """
        folder = str(engine_folder())
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,  # a process group of its own, to be ended as a whole
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        _in_background(self._feed, self._process.stdin)
        self._readers = [
            _in_background(self._read_events, self._process.stdout),
            _in_background(self._read_log, self._process.stderr),
        ]

    def poll(self) -> list[Event]:
        """Events that have come since the last call."""
        return _drained(self._events)

    def log_lines(self) -> list[str]:
        """Lines that have come since the last call: standard error, and what is no event."""
        return _drained(self._lines)

    @property
    def is_running(self) -> bool:
        """Whether there may be more to come: it lives, or not all that it said has been read."""
        if self._process is None:
            return False
        if self._process.poll() is None:
            return True
        self._close_input.set()  # PythonSlicer is a launcher: it may die and leave the engine
        return any(reader.is_alive() for reader in self._readers)

    @property
    def exit_code(self) -> Optional[int]:
        """None while it runs; minus the signal's number where one ended it (not on Windows)."""
        return None if self._process is None or self.is_running else self._process.returncode

    @property
    def error(self) -> str:
        """The engine's own last line ``CODE: what is wrong. What to do.``; empty without one."""
        return self._error

    def cancel(self) -> None:
        """End it at once."""
        if self._process is None:
            return
        if self.is_running:
            _kill(self._process)
        self._close_input.set()
        deadline = time.monotonic() + PATIENCE_S
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)
        for reader in self._readers:  # they end when the last process that writes to them does
            reader.join(max(0.0, deadline - time.monotonic()))

    def _feed(self, stdin: IO[bytes]) -> None:
        """Write the input, hold it open until it is to be closed, close it.

        The engine watches its input after an empty line; so one comes last, also after an input
        that is broken off.
        """
        with suppress(OSError), stdin:  # the engine may have ended
            for start in range(0, len(self._input), PIECE_BYTES):
                if self._close_input.is_set():
                    break
                stdin.write(self._input[start : start + PIECE_BYTES])
                stdin.flush()
            self._close_input.wait()
            stdin.write(b"\n\n")

    def _read_events(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                event = _event(line)
                if event is None:
                    self._lines.put(_text(line))
                else:
                    self._events.put(event)

    def _read_log(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in map(_text, stderr):
                if ERROR_LINE.match(line):
                    self._error = line
                self._lines.put(line)


def slicer_python() -> str:
    """Slicer's Python; outside Slicer the Python that runs this.

    Within Slicer ``sys.executable`` may be Slicer itself; ``PythonSlicer`` is on its ``PATH``.
    """
    return shutil.which("PythonSlicer") or sys.executable


def _environment(folder: str) -> dict[str, str]:
    """This process's, with the bundled engine before all other packages."""
    environment = dict(os.environ)
    paths = [folder, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    environment["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    return environment


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started; on Windows the latter end with their input."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            import signal

            os.killpg(process.pid, signal.SIGKILL)


def _in_background(work: Any, stream: Optional[IO[bytes]]) -> threading.Thread:
    thread = threading.Thread(target=work, args=(stream,), daemon=True)
    thread.start()
    return thread


def _event(line: bytes) -> Optional[Event]:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()


def _drained(queue: SimpleQueue[Any]) -> list[Any]:
    taken = []
    with suppress(Empty):
        while True:
            taken.append(queue.get_nowait())
    return taken
