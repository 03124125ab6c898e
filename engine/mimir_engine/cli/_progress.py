"""Show the progress of a run: as text for people, or as JSON lines for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, Optional

from mimir_engine.cli import replace_line, say
from mimir_engine.cli._streams import STDERR, STDOUT, writing
from mimir_engine.cohort.events import Listener
from mimir_engine.measuring.display_text import duration
from mimir_engine.measuring.runtime import LABELS


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
            with one_at_a_time, writing(stream):
                stream.write(json.dumps(event) + "\n")
                stream.flush()

        try:
            yield write_event
        finally:
            os.dup2(stream.fileno(), STDOUT)


def print_event(event: Mapping[str, Any]) -> None:
    """Print an event as a line of text; events of little interest are left out."""
    if event["event"] == "run":
        before = event["already_done"]
        count = studies(event["studies"]) + (f", {before} of them already done" if before else "")
        modules = ", ".join(event.get("modules", ()))
        runtime = LABELS.get(event.get("runtime", ""))
        place = f"{runtime} on {event['device']}" if runtime else ""
        say("; ".join(part for part in (count, modules, place) if part))
    elif event["event"] == "study":
        place = f"[{event['done']}/{event['total']}, {duration(event['seconds_left'])} left]"
        if event["state"] == "failed":
            say(f"{event['code']}: {event['name']}: {event['reason']} {place}")
        else:
            findings = f" ({', '.join(event['findings'])})" if event["findings"] else ""
            say(f"{event['name']} done{findings} {place}")
            for sentence in event.get("unusual", {}).values():
                say(f"UNUSUAL_SCAN: {event['name']}: {sentence}")
    elif event["event"] == "cluster":
        say(f"{event['scheduler']}: {event['workers']} workers, {event['threads']} threads")
        for sentence in event["sentences"]:
            say(sentence)
    elif event["event"] == "chosen":
        for sentence in event["sentences"]:
            say(sentence)
    elif event["event"] == "passed_over":
        files = f" ({event['files']} files)" if event["files"] > 1 else ""
        say(f"passed over: {event['name']}{files}, {event['reason']}")
    elif event["event"] == "recorded_sex":
        say(f"the table of --sex has {event['known']} of {studies(event['studies'])}")
    elif event["event"] == "ledger_damaged":
        say(
            f"LEDGER_DAMAGED: {event['lines']} lines of the ledger are damaged. The studies that"
            " they were about are measured again."
        )
    elif event["event"] == "drift":
        for group in event["groups"]:
            if group["verdict"] == "drifted":
                say(f"{event['code']}: {group['sentence']}")
        if event["meaning"]:
            say(event["meaning"])
    elif event["event"] == "finished":
        failed = event["failed"]
        listed = ", listed in failures.csv" if failed else ""
        say(f"{studies(event['done'])} done, {failed} failed{listed}; see {event['output']}")


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
        replace_line(f"{done}/{total} {self._what}{left}", is_last=done == total)


def studies(count: int) -> str:
    """Format a number of studies: ``1 study``, ``2 studies``."""
    return f"{count} study" if count == 1 else f"{count} studies"
