"""A run's events, for people on standard error or for programs on standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from mimir_engine.cli import say
from mimir_engine.cohort.events import Listener

STDOUT, STDERR = 1, 2


@contextmanager
def event_lines() -> Iterator[Listener]:
    """A listener that writes each event as one ASCII JSON line on standard output.

    Meanwhile all else that would get there goes to standard error, also what libraries in C print.
    Threads may write at once.
    """
    one_at_a_time = Lock()
    sys.stdout.flush()
    with os.fdopen(os.dup(STDOUT), "w", encoding="ascii", newline="\n") as stream:
        os.dup2(STDERR, STDOUT)

        def write_event(event: Mapping[str, Any]) -> None:
            with one_at_a_time:
                stream.write(json.dumps(event) + "\n")
                stream.flush()

        try:
            yield write_event
        finally:
            os.dup2(stream.fileno(), STDOUT)


def tell(event: Mapping[str, Any]) -> None:
    """An event as a line for people."""
    line = _told(event)
    if line:
        say(line)


def _told(event: Mapping[str, Any]) -> str:
    if event["event"] == "run":
        before = event["already_done"]
        known = f", {before} of them done before" if before else ""
        return (
            f"{studies(event['studies'])}{known}; {', '.join(event['modules'])}; {event['device']}"
        )
    if event["event"] == "study":
        place = f"[{event['done']}/{event['total']}, {duration(event['seconds_left'])} left]"
        if event["state"] == "failed":
            return f"{event['code']}: {event['name']}: {event['reason']} {place}"
        findings = f" ({', '.join(event['findings'])})" if event["findings"] else ""
        return f"{event['name']} done{findings} {place}"
    if event["event"] == "finished":
        failed = event["failed"]
        listed = ", listed in failures.csv" if failed else ""
        return f"{studies(event['done'])} done, {failed} failed{listed}; see {event['output']}"
    return ""


def studies(count: int) -> str:
    """``1 study``, ``2 studies``."""
    return f"{count} study" if count == 1 else f"{count} studies"


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
