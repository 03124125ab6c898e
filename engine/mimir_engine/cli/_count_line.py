"""A line on standard error that counts what is done."""

from __future__ import annotations

import sys
import time
from typing import Optional

from mimir_engine.measuring.display_text import duration


class CountLine:
    """Show how much is done and the remaining time, at most once per second."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = time.monotonic()
        self._is_shown = False
        self._first: Optional[tuple[float, int]] = None

    def __call__(self, done: int, total: int) -> None:
        """Replace the line; nothing is shown of work that ends within a second."""
        now = time.monotonic()
        started, before = self._first = self._first or (now, done)
        if now - self._shown < 1.0 and not (self._is_shown and done == total):
            return
        self._shown, self._is_shown = now, True
        made = done - before
        left = f", {duration((now - started) / made * (total - done))} left" if made else ""
        end = "\n" if done == total else ""
        text = f"\r{done}/{total} {self._what}{left}   "
        print(text, end=end, file=sys.stderr, flush=True)
