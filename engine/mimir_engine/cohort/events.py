"""What a run tells while it goes on: plain records for panels, logs and consoles alike.

- ``engine``: version, path, python. Which engine this is; the first event of every run.
- ``run``: studies, already_done, modules, device.
- ``step``: name, step (``read`` or ``predict``). Work on a study goes on to this.
- ``study``: name, state (``done`` or ``failed``), findings (codes), code, reason, done, total,
  seconds_left; details (folder) where those are kept. One a study.
- ``finished``: done, failed, output. All files are written; the last event.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from typing import Any, Callable

import mimir_engine

#: Receives each event; its ``event`` key says which kind it is.
Listener = Callable[[Mapping[str, Any]], None]


def engine_event() -> dict[str, Any]:
    """Which engine this is, and where it lies."""
    return {
        "event": "engine",
        "version": mimir_engine.__version__,
        "path": mimir_engine.__path__[0],
        "python": platform.python_version(),
    }


class Clock:
    """Time left, judged by the studies done in this run.

    Attributes:
        total: Studies to do in this run.
        done: Of them, those done.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._started = time.monotonic()

    def tick(self) -> float:
        """Count one more study; seconds left."""
        self.done += 1
        spent = time.monotonic() - self._started
        return round(spent / self.done * (self.total - self.done), 1)
