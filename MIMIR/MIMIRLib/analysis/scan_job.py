"""List what studies contain before anything is measured, with the engine's ``mimir scan``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Union

from MIMIRLib.analysis.measure_job import StudyOutcome
from MIMIRLib.analysis.request import StudyRequest, source_lines
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess, Event
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.notifier import Notifier
from MIMIRLib.translate import tr as _


@dataclass(frozen=True)
class ScanOutcome:
    """The contents of a study according to its headers, or the reason why it would be refused.

    Attributes:
        key: Study UID or file name.
        stations: From head to foot, each with ``from_mm`` and ``to_mm`` (ends in z) and ``slices``
            (number by contrast).
        findings: What would be corrected or noticed, each with ``code`` and ``sentence``.
        passed_over: Files and series that would not be used, each with ``name``, ``reason``,
            ``files``.
        scanner: ``vendor``, ``model``, ``field_strength_t``.
        code: Error code if the study would be refused; else empty.
        reason: Why it would be refused; empty if it can be read.
        files: The state of its files when they were read; None if they were not found.
    """

    key: str
    stations: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    passed_over: tuple[Mapping[str, Any], ...] = ()
    scanner: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    reason: str = ""
    files: Any = None

    @property
    def is_readable(self) -> bool:
        """True if the study would not be refused."""
        return not self.code


class ScanJob(Job):
    """Lists what studies contain; reads headers only.

    Args:
        studies: Studies, looked up step by step because that takes time; a ``StudyOutcome`` stands
            for a study whose files were not found.
        known: Earlier outcomes by key; a study whose files are unchanged is not read again.

    Attributes:
        outcomes: One per study, those that were not found first.
        scanned: Emits each outcome.
    """

    def __init__(
        self,
        studies: Iterable[Union[StudyRequest, StudyOutcome]],
        known: Mapping[str, ScanOutcome] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.outcomes: list[ScanOutcome] = []
        self.scanned = Notifier()
        self._studies, self._known = studies, known

    def _work(self) -> Work:
        started: dict[str, tuple[StudyRequest, Any]] = {}
        progress = Progress(0.0, _("Looking up the studies' files"))
        yield progress
        for study in self._studies:
            self._look_up(study, started)
            yield progress
        if not started:
            return
        requests = [study for study, _files in started.values()]
        with EngineProcess(["scan", "--sources=-", "--events"], source_lines(requests)) as process:
            is_finished = False
            for event in process.follow(self._log):
                if event is not None and event["event"] == "scan":
                    study, files = started[event["name"]]
                    self._note(replace(_outcome(event, study.key), files=files))
                    yield Progress(event["done"] / event["total"], _("Reading the headers"))
                elif event is None:
                    yield None
                else:
                    is_finished = event["event"] == "finished"
            if not is_finished:
                raise process.failure()

    def _look_up(
        self, study: Union[StudyRequest, StudyOutcome], started: dict[str, tuple[StudyRequest, Any]]
    ) -> None:
        """Add a study to those to be read, unless its outcome is known."""
        if isinstance(study, StudyOutcome):
            self._note(ScanOutcome(study.key, code=study.code, reason=study.reason))
            return
        files = _state_of_files(study)
        known = self._known.get(study.key)
        if known is not None and known.files == files:
            self._note(known)
        else:
            started[study.name] = study, files

    def _note(self, outcome: ScanOutcome) -> None:
        self.outcomes.append(outcome)
        self.scanned.emit(outcome)

    def _summary(self) -> str:
        refused = sum(not outcome.is_readable for outcome in self.outcomes)
        text = _("{readable} readable, {refused} refused.")
        return text.format(readable=len(self.outcomes) - refused, refused=refused)


def _state_of_files(study: StudyRequest) -> Any:
    """Return a value that changes with the names, sizes or times of a study's files."""
    import_engine()
    from mimir_engine.cohort.fingerprint import fingerprint

    return fingerprint(study.files or study.path)


def _outcome(event: Event, key: str) -> ScanOutcome:
    return ScanOutcome(
        key,
        tuple(event["stations"]),
        tuple(event["findings"]),
        tuple(event["passed_over"]),
        event["scanner"],
        event["code"],
        event["reason"],
    )
