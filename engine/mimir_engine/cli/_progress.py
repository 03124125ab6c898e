"""Show the progress of a run: as text for people, or as JSON lines for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any

from mimir_engine.cli import say
from mimir_engine.cli._progress_bar import ProgressBar
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
    """Print an event as lines of text; events of little interest are left out."""
    for line in _lines(event):
        say(line)


@contextmanager
def shown_events() -> Iterator[Listener]:
    """Show the events of a run: one bar on a terminal, with lines above it; else lines alone.

    Studies that are done have no line where there is a bar.
    """
    before = failed = 0

    def show(event: Mapping[str, Any]) -> None:
        nonlocal before, failed
        is_study = event["event"] == "study"
        for line in (_messages if is_study and bar.is_shown else _lines)(event):
            bar.say(line)
        if event["event"] == "run" and event["already_done"] < event["studies"]:
            before = event["already_done"]
            bar.move_to(before, event["studies"], "0 failed")
        elif is_study:
            failed += event["state"] == "failed"
            bar.move_to(before + event["done"], before + event["total"], f"{failed} failed")
            if event["done"] == event["total"]:
                bar.close()

    with closing(ProgressBar("study")) as bar:
        yield show


def _lines(event: Mapping[str, Any]) -> Iterator[str]:
    """Write an event as lines of text."""
    if event["event"] == "run":
        before = event["already_done"]
        count = studies(event["studies"]) + (f", {before} of them already done" if before else "")
        modules = ", ".join(event.get("modules", ()))
        runtime = LABELS.get(event.get("runtime", ""))
        place = f"{runtime} on {event['device']}" if runtime else ""
        yield "; ".join(part for part in (count, modules, place) if part)
    elif event["event"] == "study":
        place = f" [{event['done']}/{event['total']}, {duration(event['seconds_left'])} left]"
        if event["state"] == "done":
            findings = f" ({', '.join(event['findings'])})" if event["findings"] else ""
            yield f"{event['name']} done{findings}{place}"
            place = ""
        for message in _messages(event):
            yield f"{message}{place}"
    elif event["event"] == "cluster":
        yield f"{event['scheduler']}; workers: {event['workers']}, threads: {event['threads']}"
        yield from event["sentences"]
    elif event["event"] == "chosen":
        yield from event["sentences"]
    elif event["event"] == "passed_over":
        files = f" ({event['files']} files)" if event["files"] > 1 else ""
        yield f"passed over: {event['name']}{files}, {event['reason']}"
    elif event["event"] == "recorded_sex":
        yield f"the table of --sex has {event['known']} of {studies(event['studies'])}"
    elif event["event"] == "ledger_damaged":
        yield (
            f"LEDGER_DAMAGED: {event['lines']} lines of the ledger are damaged. The studies that"
            " they were about are measured again."
        )
    elif event["event"] == "drift":
        for group in event["groups"]:
            if group["verdict"] == "drifted":
                yield f"{event['code']}: {group['sentence']}"
        if event["meaning"]:
            yield event["meaning"]
    elif event["event"] == "finished":
        failed = event["failed"]
        listed = ", listed in failures.csv" if failed else ""
        yield f"{studies(event['done'])} done, {failed} failed{listed}; see {event['output']}"


def _messages(study: Mapping[str, Any]) -> Iterator[str]:
    """Write what people should read about a study: why it failed, or why it is unusual."""
    if study["state"] == "failed":
        yield f"{study['code']}: {study['name']}: {study['reason']}"
    for sentence in study.get("unusual", {}).values():
        yield f"UNUSUAL_SCAN: {study['name']}: {sentence}"


def studies(count: int) -> str:
    """Format a number of studies: ``1 study``, ``2 studies``."""
    return f"{count} study" if count == 1 else f"{count} studies"
