"""How far a run is, out of the engine's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

ENGINE_HERE, MODULES_CHECKED = 0.02, 0.05
"""Shares of the whole bar: the engine answers, and knows the inference modules and studies."""

SHARE_OF_STEP = {"read": 0.1, "predict": 0.5}
"""Share of a study that is behind it when a step begins: both take about as long on a CPU."""

DOING = {"read": "reading", "predict": "measuring"}

LONGEST_NAME = 32
"""Longer ones, such as UIDs, tell nobody anything."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        fraction: Of all work, 0 to 1; never falls.
        done: Studies that are over, also those that failed.
        total: Studies of the run.
        seconds_left: None until the first study is over.
        sentence: For people.
    """

    fraction: float = 0.0
    done: int = 0
    total: int = 0
    seconds_left: Optional[float] = None
    sentence: str = ""


class ProgressMeter:
    """Takes events and says how far the run is.

    Args:
        names: What the engine calls the studies, in their order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._labels = {
            name: name if len(name) <= LONGEST_NAME else f"study {number}"
            for number, name in enumerate(names, start=1)
        }
        self._shares = dict.fromkeys(names, 0.0)
        self._failed = 0
        self._doing = ""
        self.progress = Progress(0.0, 0, len(names), None, "Starting the engine")

    def take(self, event: Mapping[str, Any]) -> Progress:
        """Progress after one more event."""
        kind = event["event"]
        if kind == "engine":
            self._go(ENGINE_HERE, "Loading the inference modules")
        elif kind == "run":
            self._go(MODULES_CHECKED)
        elif kind == "step":
            self._reach(event["name"], SHARE_OF_STEP[event["step"]])
            self._doing = f"{DOING[event['step']]} {self._labels[event['name']]}"
            self._go_on()
        elif kind == "study":
            self._reach(event["name"], 1.0)
            self._failed += event["state"] == "failed"
            done, left = event["done"], event["seconds_left"]
            self.progress = replace(self.progress, done=done, seconds_left=left)
            self._go_on()
        elif kind == "finished":
            self.progress = replace(self.progress, seconds_left=0.0)
            self._doing = ""
            self._go(1.0)
        return self.progress

    def _reach(self, name: str, share: float) -> None:
        self._shares[name] = max(self._shares[name], share)

    def _go_on(self) -> None:
        share = sum(self._shares.values()) / len(self._shares)
        self._go(MODULES_CHECKED + (1 - MODULES_CHECKED) * share)

    def _go(self, fraction: float, sentence: str = "") -> None:
        fraction = max(self.progress.fraction, min(fraction, 1.0))
        self.progress = replace(
            self.progress, fraction=fraction, sentence=sentence or self._sentence()
        )

    def _sentence(self) -> str:
        progress = self.progress
        studies = "study" if progress.total == 1 else "studies"
        parts = [f"{progress.done} of {progress.total} {studies} done"]
        if self._failed:
            parts[0] += f" ({self._failed} failed)"
        if progress.seconds_left and progress.done < progress.total:
            parts.append(f"about {duration(progress.seconds_left)} left")
        said = ", ".join(parts)
        is_over = progress.done == progress.total
        return f"{said}; {self._doing}" if self._doing and not is_over else said


def duration(seconds: float) -> str:
    """Roughly: ``40 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


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
