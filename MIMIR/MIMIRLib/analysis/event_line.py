"""The engine's events as lines of a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def event_line(event: Mapping[str, Any]) -> str:
    """One event as one line for people; an event of an unknown kind as it is."""
    told = _TELLERS.get(event["event"])
    return told(event) if told else str(dict(event))


def _engine(event: Mapping[str, Any]) -> str:
    return f"Engine {event['version']} in {event['path']}, Python {event['python']}"


def _run(event: Mapping[str, Any]) -> str:
    return (
        f"Studies: {event['studies']}; inference modules: {', '.join(event['modules'])};"
        f" device: {event['device']}"
    )


def _step(event: Mapping[str, Any]) -> str:
    return f"{event['name']}: {event['step']}"


def _study(event: Mapping[str, Any]) -> str:
    place = f"[{event['done']}/{event['total']}]"
    if event["state"] == "failed":
        return f"{place} {event['name']}: {event['code']}: {event['reason']}"
    findings = f" ({', '.join(event['findings'])})" if event["findings"] else ""
    return f"{place} {event['name']}: done{findings}"


def _finished(event: Mapping[str, Any]) -> str:
    return f"Finished: {event['done']} done, {event['failed']} failed"


_TELLERS = {
    "engine": _engine,
    "run": _run,
    "step": _step,
    "study": _study,
    "finished": _finished,
}
