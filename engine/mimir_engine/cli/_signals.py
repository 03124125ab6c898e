"""End a run by a signal as Ctrl-C does: with one line, and an exit status that names the signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Signals that end a run: Ctrl-C, the request of a batch system or of ``kill``, a terminal that
#: closes, Ctrl-Break. A system lacks some.
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
#: The exit status of a process that a signal ended is this plus the signal's number.
STATUS_OF_SIGNALS = 128


class Stopped(KeyboardInterrupt):
    """A signal asked this process to end.

    Attributes:
        status: Exit status.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = STATUS_OF_SIGNALS + number


@contextmanager
def stopped_by_signals(is_program: bool) -> Iterator[None]:
    """Raise `Stopped` at the first signal within the block; a second one ends the process at once.

    Signals that are ignored, as under ``nohup``, stay so.

    Args:
        is_program: True if the process ends after the block: then a signal ends it quietly.
    """
    before: dict[int, Any] = {}

    def stop(number: int, frame: object) -> None:
        for each in before:
            signal.signal(each, _end)
        raise Stopped(number)

    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, _end if is_program else handler)


def _end(number: int, frame: object) -> None:
    os._exit(STATUS_OF_SIGNALS + number)
