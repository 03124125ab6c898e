"""Install packages into Slicer's Python with pip, in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Optional

from MIMIRLib.engine.process import PATIENCE_S, decoded, in_background, kill_process, slicer_python

#: Packages that Slicer's own modules are built for: pip must leave them as they are.
KEPT = ("numpy",)


class PipProcess:
    """One call of ``pip install``. Nothing blocks but ``cancel``, for a moment.

    >>> with PipProcess(["safetensors>=0.4"]) as process:
    ...     while process.is_running:
    ...         print(*process.lines(), sep="\\n")

    Args:
        requirements: What to install.
        python: By default Slicer's own Python.
    """

    def __init__(self, requirements: Sequence[str], python: Optional[str] = None) -> None:
        self._requirements, self._python = requirements, python
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._reader: Optional[threading.Thread] = None

    def __enter__(self) -> PipProcess:
        self._folder = Path(tempfile.mkdtemp(prefix="mimir-pip-"))
        constraints = self._folder / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in _kept_versions()), "utf-8")
        self._process = subprocess.Popen(
            [
                *(self._python or slicer_python(), "-m", "pip", "install"),
                *("--disable-pip-version-check", "--no-input", "--progress-bar", "off"),
                *("--constraint", str(constraints), *self._requirements),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._reader = in_background(self._read, self._process.stdout)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)

    def lines(self) -> list[str]:
        """Return the lines since the last call."""
        return [self._lines.get() for _number in range(self._lines.qsize())]

    @property
    def is_running(self) -> bool:
        """True if the process lives or some of its output has not been read."""
        if self._process is None or self._reader is None:
            return False
        return self._process.poll() is None or self._reader.is_alive()

    @property
    def exit_code(self) -> Optional[int]:
        """None while it runs."""
        return None if self._process is None or self.is_running else self._process.returncode

    def cancel(self) -> None:
        """End it immediately."""
        if self._process is None:
            return
        if self.is_running:
            kill_process(self._process)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in map(decoded, output):
                self._lines.put(line)


def _kept_versions() -> list[str]:
    """Return the installed packages of `KEPT` as constraints for pip."""
    kept = []
    for name in KEPT:
        with suppress(metadata.PackageNotFoundError):
            kept.append(f"{name}=={metadata.version(name)}")
    return kept
