"""What a run tells while it goes on: plain records for panels, logs and consoles alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

#: Receives each event; its ``event`` key says which kind it is.
Listener = Callable[[Mapping[str, Any]], None]


def engine_event() -> dict[str, Any]:
    """The first event of every run: which engine this is, and where it lies."""
    import mimir_engine

    return {
        "event": "engine",
        "version": mimir_engine.__version__,
        "path": mimir_engine.__path__[0],
        "python": sys.version.split()[0],
    }


@dataclass
class Clock:
    """Time left, judged by the studies done in this run.

    Attributes:
        total: Studies to do in this run.
        done: Of them, those done.
    """

    total: int
    done: int = 0
    started: float = 0.0

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    def tick(self) -> Optional[float]:
        """Count one more study; seconds left, rounded."""
        self.done += 1
        spent = time.monotonic() - self.started
        return round(spent / self.done * (self.total - self.done), 1)
