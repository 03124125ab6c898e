"""Turn the engine's events into progress and lines of the log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from MIMIRLib.job import Progress
from MIMIRLib.translate import tr as _

#: Share of the progress bar when the engine answers, and when it has loaded the inference modules.
ENGINE_STARTED, MODULES_LOADED = 0.02, 0.05
#: Share of a study that is done when a step begins: both take about as long on a CPU.
SHARE_BEFORE_STEP = {"read": 0.1, "postpone": 0.1, "predict": 0.5}
#: A longer name, such as a UID, does not help people; they see the study's number instead.
MAX_NAME_LENGTH = 32
#: Lines of the log for events of each kind.
LINES = {
    "engine": _("Engine {version} in {path}, Python {python}"),
    "run": _(
        "Studies: {studies}; inference modules: {names}; runtime: {runtime}; device: {device}"
    ),
    "step": "{name}: {step}",
    "finished": _("Finished: {done} done, {failed} failed"),
}


class ProgressMeter:
    """Follows the engine's events.

    Args:
        names: The studies' names in the engine, in their order.
        clock: Returns the time in seconds.

    Attributes:
        progress: The progress after the last event; its fraction never falls.
        is_finished: True after the engine's last event.
    """

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.progress = Progress(0.0, _("Starting the engine"))
        self.is_finished = False
        self._labels = {
            name: name if len(name) <= MAX_NAME_LENGTH else _("study {number}").format(number=n)
            for n, name in enumerate(names, start=1)
        }
        self._shares = dict.fromkeys(names, 0.0)
        self._under_way: dict[str, str] = {}
        self._postponed: set[str] = set()
        self._done = self._failed = 0
        self._clock = clock
        self._seconds_left: Optional[float] = None
        self._end = 0.0

    def take(self, event: Mapping[str, Any]) -> Progress:
        """Return the progress after one more event."""
        kind = event["event"]
        if kind == "engine":
            self._advance(ENGINE_STARTED, _("Loading the inference modules"))
        elif kind == "run":
            self._advance(MODULES_LOADED, self._sentence())
        elif kind == "step":
            self._take_step(event["name"], event["step"])
        elif kind == "study":
            self._failed += event["state"] == "failed"
            self._done, self._seconds_left = event["done"], event["seconds_left"]
            self._end = self._clock() + event["seconds_left"]
            self._under_way.pop(event["name"], None)
            self._advance_study(event["name"], 1.0, self._longest())
        elif kind == "finished":
            self.is_finished = True
            self._advance(1.0, self._sentence())
        return self.progress

    def late(self) -> Optional[Progress]:
        """Return the progress without the time left once that is over; else None."""
        if not self._seconds_left or self._clock() <= self._end:
            return None
        self._seconds_left = None
        self._advance(0.0, self._sentence(self._longest()))
        return self.progress

    def _take_step(self, name: str, step: str) -> None:
        self._under_way.pop(name, None)
        doing = self._longest()
        if step == "postpone":
            self._postponed.add(name)
        else:
            doing = _("reading {study}") if step == "read" else _("measuring {study}")
            if step == "read" and name in self._postponed:
                doing = _("reading {study} once more")
            doing = self._under_way[name] = doing.format(study=self._labels[name])
        self._advance_study(name, SHARE_BEFORE_STEP[step], doing)

    def _longest(self) -> str:
        """Say which study has been under way for longest; empty if none is."""
        return next(iter(self._under_way.values()), "")

    def _advance_study(self, name: str, share: float, doing: str = "") -> None:
        self._shares[name] = max(self._shares[name], share)
        mean = sum(self._shares.values()) / len(self._shares)
        self._advance(MODULES_LOADED + (1 - MODULES_LOADED) * mean, self._sentence(doing))

    def _advance(self, fraction: float, sentence: str) -> None:
        self.progress = Progress(max(self.progress.fraction or 0.0, min(fraction, 1.0)), sentence)

    def _sentence(self, doing: str = "") -> str:
        from mimir_engine.measuring.display_text import duration

        total = len(self._shares)
        done = (
            _("{done} of {total} study done") if total == 1 else _("{done} of {total} studies done")
        )
        sentence = done.format(done=self._done, total=total)
        if self._failed:
            sentence += _(" ({count} failed)").format(count=self._failed)
        if self._seconds_left and self._done < total:
            sentence += _(", about {time} left").format(time=duration(self._seconds_left))
        return f"{sentence}; {doing}" if doing else sentence


def event_line(event: Mapping[str, Any]) -> str:
    """Return an event as one line of the log; an event of an unknown kind as it is."""
    kind = event["event"]
    if kind == "study":
        return _study_line(event)
    if kind == "drift":
        return " ".join((event["code"], *(group["sentence"] for group in event["groups"]))).strip()
    if kind == "chosen":
        return " ".join(event["sentences"])
    if kind not in LINES:
        return str(dict(event))
    return LINES[kind].format(**{**event, "names": ", ".join(event.get("modules", ()))})


def _study_line(event: Mapping[str, Any]) -> str:
    start = f"[{event['done']}/{event['total']}] {event['name']}"
    if event["state"] == "failed":
        return f"{start}: {event['code']}: {event['reason']}"
    findings = f" ({', '.join(event['findings'])})" if event["findings"] else ""
    unusual = [f"; {sentence}" for sentence in event.get("unusual", {}).values()]
    return f"{start}: " + _("done") + findings + "".join(unusual)
