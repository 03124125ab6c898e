"""Show a run's events: as text for people, or as JSON lines for programs."""

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
from mimir_engine.measuring.display_text import duration

STDOUT, STDERR = 1, 2


@contextmanager
def event_lines() -> Iterator[Listener]:
    """Write each event as one ASCII JSON line on standard output; several threads may do so.

    Meanwhile all other output goes to standard error, including that of C libraries.
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


def print_event(event: Mapping[str, Any]) -> None:
    """Print an event as a line of text; events of little interest are left out."""
    line = _event_text(event)
    if line:
        say(line)


def _event_text(event: Mapping[str, Any]) -> str:
    if event["event"] == "run":
        before = event["already_done"]
        count = studies(event["studies"]) + (f", {before} of them already done" if before else "")
        modules = ", ".join(event.get("modules", ()))
        return "; ".join(part for part in (count, modules, event.get("device", "")) if part)
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
    """Format a number of studies: ``1 study``, ``2 studies``."""
    return f"{count} study" if count == 1 else f"{count} studies"
