"""Events of a run, for panels, logs and consoles alike.

- ``engine``: version, path, python. The engine that runs; the first event of every run.
- ``run``: studies, already_done; of ``mimir infer`` also modules, device.
- ``step``: name, step (``read`` or ``predict``). Work on a study has reached this step.
- ``study``: name, state (``done`` or ``failed``), findings (codes), code, reason, done, total,
  seconds_left; details (the study's folder) where those are kept. One per study.
- ``finished``: done, failed, output. All files are written; the last event.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from typing import Any, Callable

import mimir_engine

#: Receives each event; its key ``event`` names its kind.
Listener = Callable[[Mapping[str, Any]], None]


def engine_event() -> dict[str, Any]:
    """Describe this engine: version and path."""
    return {
        "event": "engine",
        "version": mimir_engine.__version__,
        "path": mimir_engine.__path__[0],
        "python": platform.python_version(),
    }


class Clock:
    """Estimates the time left from the studies done in this run.

    Attributes:
        total: Studies to do in this run.
        done: Studies done in this run.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._started = time.monotonic()

    def tick(self) -> float:
        """Count one more study, and return the seconds left."""
        self.done += 1
        spent = time.monotonic() - self._started
        return round(spent / self.done * (self.total - self.done), 1)
