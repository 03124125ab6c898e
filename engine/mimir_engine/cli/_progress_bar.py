"""Show how much of some work is done: as one bar on a terminal, as lines anywhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import RLock
from typing import Any, Callable, Optional

from mimir_engine.cli import say
from mimir_engine.measuring.display_text import duration

#: Fewest columns and rows of a terminal that a bar fits into.
MIN_COLUMNS, MIN_ROWS = 20, 3
#: Seconds between two lines about a count, where there is no bar.
SECONDS_BETWEEN_LINES = 10.0


class ProgressBar:
    """One bar on the terminal, with rate and time left; lines are printed above it.

    Attributes:
        is_shown: False if standard error is no terminal or tqdm is not installed. Then nothing is
            drawn, and lines are printed as usual.
    """

    def __init__(self, unit: str) -> None:
        """Draw nothing yet.

        Args:
            unit: What is counted, in the singular.
        """
        self._unit = unit
        self._tqdm = _tqdm() if _suits_bar() else None
        self._bar: Any = None
        self.is_shown = self._tqdm is not None

    def move_to(self, done: int, total: int, note: str = "") -> None:
        """Show how much is done. The first call tells what was done before: it has no rate.

        Args:
            done: How much is done.
            total: How much there is to do.
            note: A few words for the end of the bar.
        """
        if self._tqdm is None:
            return
        if self._bar is None:
            self._bar = self._tqdm(
                total=total,
                initial=done,
                unit=self._unit,
                postfix=note,
                file=sys.stderr,
                dynamic_ncols=True,
                smoothing=0,  # the rate is that of this run, not of its last seconds
                miniters=1,
                # Old consoles of Windows lack the characters for parts of a block.
                ascii=sys.platform == "win32" or None,
            )
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        with self.out_of_the_way():
            say(line)

    @contextmanager
    def out_of_the_way(self) -> Iterator[None]:
        """Remove the bar from the terminal, and draw it again after the block."""
        if self._bar is not None:
            self._bar.clear()
        yield
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        """Leave the bar as it is, and let the next text begin on the line below."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def counted(unit: str, what: str = "") -> Iterator[Callable[[int, int], None]]:
    """Show how much is done: as a bar, or as a line now and then.

    Args:
        unit: What is counted, in the singular.
        what: A few words for the end of the bar or line.

    Yields:
        A function that takes how much is done and how much there is to do.
    """
    shown = time.monotonic()
    first: Optional[tuple[float, int]] = None

    def show(done: int, total: int) -> None:
        nonlocal shown, first
        now = time.monotonic()
        started, before = first = first or (now, done)
        bar.move_to(done, total, what)
        if bar.is_shown or now - shown < SECONDS_BETWEEN_LINES:
            return
        shown = now
        left = (now - started) / (done - before) * (total - done) if done > before else None
        parts = (f"{done}/{total} {unit}s", what, "" if left is None else f"{duration(left)} left")
        say(", ".join(part for part in parts if part))

    with closing(ProgressBar(unit)) as bar:
        yield show


def _suits_bar() -> bool:
    """Return whether standard error is a terminal that can draw a line again."""
    with suppress(OSError, ValueError):
        size = os.get_terminal_size(sys.stderr.fileno())
        fits = size.columns >= MIN_COLUMNS and size.lines >= MIN_ROWS
        return fits and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return False


def _tqdm() -> Any:
    """Return the class of bars, or None without a tqdm that can be imported."""
    try:
        from tqdm import tqdm
    except Exception:  # a broken installation raises many kinds
        return None
    tqdm.monitor_interval = 0  # no thread of its own
    tqdm.set_lock(RLock())  # no semaphore that is shared with other processes
    return tqdm
