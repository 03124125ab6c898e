"""Run the engine in its own process: arguments and studies go in, events and a log come out.

The process is Slicer's own Python, started in the folder of the bundled engine, so that an engine
installed by pip cannot take its place. It ends when its standard input closes, so it never outlives
Slicer.
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, Callable, Optional

from MIMIRLib.engine.import_engine import engine_folder, import_engine, is_bundled
from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _

Event = Mapping[str, Any]

#: The line in which the engine reports an error, among whatever libraries write.
ERROR_LINE = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (\S.*)")
#: How long ``cancel`` waits for a killed process to end (seconds).
PATIENCE_S = 2.0
#: Input written at once (bytes).
PIECE_BYTES = 1 << 16
#: Exit codes of a process that the system ended, mostly for lack of memory.
KILLED = (-9, 137)


class EngineProcess:
    """One call of ``python -m mimir_engine``. Nothing blocks but ``cancel``, for a moment.

    >>> with EngineProcess(request.arguments(output, details), request.source_lines()) as process:
    ...     while process.is_running:  # in Slicer, a timer checks this
    ...         for event in process.poll():
    ...             print(event["event"])

    Args:
        arguments: For the engine's command line.
        input_bytes: For its standard input, which then stays open.
        python: By default Slicer's own Python.
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
        self._error_line: Optional[re.Match[str]] = None

    def __enter__(self) -> EngineProcess:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.cancel()

    def start(self) -> None:
        """Start it; to be called once.

        Raises:
            MimirError: ``ENGINE_NOT_STARTED``.
            EngineUnavailable: ``ENGINE_MISSING``.
        """
        folder = str(engine_folder())
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,  # a process group, to be ended together
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise not_started(error) from error
        in_background(self._feed, self._process.stdin)
        self._readers = [
            in_background(self._read_events, self._process.stdout),
            in_background(self._read_log, self._process.stderr),
        ]

    def poll(self) -> list[Event]:
        """Return the events since the last call."""
        return [self._events.get() for _number in range(self._events.qsize())]

    def log_lines(self) -> list[str]:
        """Return the lines since the last call: standard error, and output that is not an event."""
        return [self._lines.get() for _number in range(self._lines.qsize())]

    @property
    def is_running(self) -> bool:
        """True if the process lives or some of its output has not been read."""
        if self._process is None:
            return False
        if self._process.poll() is None:
            return True
        self._close_input.set()  # PythonSlicer is a launcher: it may die and leave the engine
        return any(reader.is_alive() for reader in self._readers)

    @property
    def exit_code(self) -> Optional[int]:
        """None while it runs; minus the signal's number if a signal ended it (not on Windows)."""
        return None if self._process is None or self.is_running else self._process.returncode

    def follow(self, log: Callable[[str], None]) -> Iterator[Optional[Event]]:
        """Yield each event until the process has ended, and None while it works.

        Args:
            log: Receives the lines of ``log_lines``.

        Raises:
            MimirError: ``ENGINE_SHADOWED`` if another engine than the bundled one has started.
        """
        is_running = True
        while is_running:
            is_running = self.is_running  # asked first: no output can follow the end
            for line in self.log_lines():
                log(line)
            for event in self.poll():
                yield event
                if event["event"] == "engine":
                    _check_bundled(event)
            yield None

    def failure(self) -> Exception:
        """Return the reason why the process did not succeed, once it has ended.

        This is the last error that the engine has reported; without one, ``ENGINE_DIED``.
        """
        if self._error_line is not None:
            code, reason = self._error_line.groups()
            return mimir_error(code, reason.removesuffix("."))
        if self.exit_code in KILLED:
            what = _("the system ended the engine's process")
            remedy = _("The memory was probably full: close other programs, then try again.")
        else:
            what = _("the engine ended unexpectedly (exit code {code})")
            remedy = _(
                "The log may contain the cause. If the memory was full, close other programs,"
                " then try again."
            )
        return mimir_error("ENGINE_DIED", what.format(code=self.exit_code), remedy)

    def cancel(self) -> None:
        """End it immediately."""
        if self._process is None:
            return
        if self.is_running:
            kill_process(self._process)
        self._close_input.set()
        deadline = time.monotonic() + PATIENCE_S
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)
        for reader in self._readers:  # they end with the last process that writes to them
            reader.join(max(0.0, deadline - time.monotonic()))

    def _feed(self, stdin: IO[bytes]) -> None:
        """Write the input, hold it open until it is to be closed, close it.

        The engine watches its input after an empty line, so one comes last, also if the input was
        cut short.
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
                    self._lines.put(decoded(line))
                else:
                    self._events.put(event)

    def _read_log(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in map(decoded, stderr):
                self._error_line = ERROR_LINE.match(line) or self._error_line
                self._lines.put(line)


def not_started(error: OSError) -> Exception:
    """Return the exception for an engine whose files, folders or program cannot be used."""
    return mimir_error(
        "ENGINE_NOT_STARTED",
        _("the engine cannot be started ({reason}: '{path}')").format(
            reason=error.strerror, path=error.filename
        ),
        _(
            "Check that this folder or program exists and may be used. The folder for temporary"
            " files is set in Slicer's application settings."
        ),
    )


def _check_bundled(event: Event) -> None:
    """Check that the bundled engine has started, not another one."""
    bundled = import_engine()
    if is_bundled(event["path"]) and event["version"] == bundled.__version__:
        return
    raise mimir_error(
        "ENGINE_SHADOWED",
        _("engine {version} in '{path}' was started, not {bundled} in '{bundled_path}'").format(
            version=event["version"],
            path=event["path"],
            bundled=bundled.__version__,
            bundled_path=bundled.__path__[0],
        ),
        _(
            "Restart Slicer. If that doesn't help, run pip_uninstall('mimir-engine') in Slicer's"
            " Python console."
        ),
    )


def slicer_python() -> str:
    """Return the path of Slicer's Python; outside Slicer, of the Python that runs this.

    Within Slicer ``sys.executable`` may be Slicer itself; ``PythonSlicer`` is on its ``PATH``.
    """
    return shutil.which("PythonSlicer") or sys.executable


def _environment(folder: str) -> dict[str, str]:
    """Return this process's environment with the bundled engine before all other packages."""
    environment = dict(os.environ)
    paths = [folder, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    environment["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    return environment


def kill_process(process: subprocess.Popen[bytes]) -> None:
    """End the process and all its children; on Windows the children end with their input."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            import signal

            os.killpg(process.pid, signal.SIGKILL)


def in_background(work: Any, stream: Optional[IO[bytes]]) -> threading.Thread:
    thread = threading.Thread(target=work, args=(stream,), daemon=True)
    thread.start()
    return thread


def _event(line: bytes) -> Optional[Event]:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()
