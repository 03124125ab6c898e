"""``mimir scan``: list what studies contain, and whether they can be read, before measuring."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from mimir_engine.cli import DONE, SOME_FAILED, say, show
from mimir_engine.cli._progress import event_lines, print_event, studies
from mimir_engine.cli._study_options import (
    add_study_options,
    check_study_options,
    chosen_studies,
    reader_limits,
)
from mimir_engine.cohort.events import Listener, engine_event

#: Names of files or series shown of those that were passed over for one reason.
MAX_NAMES = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_study_options(parser)
    parser.add_argument("--events", action="store_true", help="print JSON lines on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Scan all studies."""
    if not arguments.events:
        return _scan(arguments, _print_event)
    with event_lines() as write_event:
        return _scan(arguments, write_event)


def _scan(arguments: argparse.Namespace, listener: Listener) -> int:
    listener(engine_event())
    check_study_options(arguments)

    from mimir_engine.cohort.scan_studies import scan_studies

    sources = chosen_studies(arguments, listener)
    if arguments.anonymous_names:
        listener = partial(_without_uid, listener)
    refused = scan_studies(
        sources, listener, arguments.jobs, arguments.reconstruction, reader_limits(arguments)
    )
    listener({"event": "finished", "done": len(sources) - refused, "refused": refused})
    return SOME_FAILED if refused else DONE


def _without_uid(listener: Listener, event: Mapping[str, Any]) -> None:
    """Pass an event on without the number by which a PACS finds the study."""
    listener({**event, "study_uid": ""} if "study_uid" in event else event)


def _print_event(event: Mapping[str, Any]) -> None:
    if event["event"] == "scan":
        for line in _lines(event):
            show(line)
    elif event["event"] == "finished":
        say(f"{studies(event['done'])} readable, {event['refused']} refused")
    else:
        print_event(event)


def _lines(scan: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was found in one study: the verdict, stations, what is missing, findings."""
    scanner = scan["scanner"]
    field = scanner["field_strength_t"]
    device = (scanner["vendor"], scanner["model"], f"{field:g} T" if field else "")
    count = len(scan["stations"])
    parts = [scan["state"], *([f"{count} station{'s'[: count != 1]}"] if count else [])]
    parts += [" ".join(filter(None, device))] if any(device) else []
    yield f"{scan['name']}: {', '.join(parts)}"
    if scan["state"] == "refused":
        yield f"  {scan['code']}: {scan['reason']}"
    for number, station in enumerate(scan["stations"], start=1):
        place = f"z = {station['to_mm']:.0f} to {station['from_mm']:.0f} mm"
        yield f"  station {number}: {place}, {_slices(station['slices'])}"
    yield from _missing(scan["stations"])
    for finding in scan["findings"]:
        yield f"  {finding['code']}: {finding['sentence']}."
    yield from _not_used(scan["passed_over"])


def _slices(counts: Mapping[str, int]) -> str:
    """Return a station's contrasts: ``64 slices of water, fat``, or a number for each."""
    if len(set(counts.values())) == 1:
        return f"{next(iter(counts.values()))} slices of {', '.join(counts)}"
    return f"slices: {', '.join(f'{contrast} {count}' for contrast, count in counts.items())}"


def _missing(stations: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield which contrasts some stations have and others lack."""
    contrasts = dict.fromkeys(contrast for s in stations for contrast in s["slices"])
    for contrast in contrasts:
        lacking = [str(n) for n, s in enumerate(stations, 1) if not s["slices"].get(contrast)]
        if lacking:
            yield f"  missing: {contrast} of station {', '.join(lacking)}"


def _not_used(passed_over: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what was passed over, grouped by reason."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in passed_over:
        groups[one["reason"]].append(one)
    for reason, group in groups.items():
        files = sum(one["files"] for one in group)
        names = ", ".join(f"'{one['name']}'" for one in group[:MAX_NAMES])
        example = ", e.g." if len(group) > MAX_NAMES else ","
        count = "1 file" if files == 1 else f"{files} files"
        yield f"  not used ({reason}): {count}{example} {names}"
