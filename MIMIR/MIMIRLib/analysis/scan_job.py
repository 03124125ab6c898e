"""List what studies contain before anything is measured, with the engine's ``mimir scan``.

A ``CheckJob`` then checks their images, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar, Union

from MIMIRLib.analysis.request import StudyRequest, source_lines
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess, Event
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.notifier import Notifier
from MIMIRLib.translate import tr as _


@dataclass(frozen=True)
class ScanOutcome:
    """The contents of a study, or the reason why it would be refused.

    Attributes:
        key: Study UID or file name.
        stations: From head to foot, each with ``from_mm`` and ``to_mm`` (ends in z) and ``slices``
            (number by contrast).
        findings: What would be corrected or noticed, each with the fields of the engine's
            ``Finding``.
        passed_over: Files and series that would not be used, each with ``name``, ``reason``,
            ``files``.
        scanner: ``vendor``, ``model``, ``field_strength_t``.
        code: Error code if the study would be refused; else empty.
        reason: Why it would be refused; empty if it can be read.
        files: The state of its files when they were read; None if they were not found.
        is_checked: Whether its images were checked, too, not only its headers.
        picture: PNG of the images with the places of the findings; empty if there is none.
    """

    key: str
    stations: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    passed_over: tuple[Mapping[str, Any], ...] = ()
    scanner: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    reason: str = ""
    files: Any = None
    is_checked: bool = False
    picture: bytes = b""

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

    #: The engine's command, and the name of its event for each study.
    command: ClassVar[str] = "scan"

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
        if started:
            yield from self._follow(started, [])

    def _follow(
        self, started: Mapping[str, tuple[StudyRequest, Any]], options: Sequence[str]
    ) -> Work:
        """Let the engine's command read the studies, and note each outcome."""
        requests = [study for study, _files in started.values()]
        arguments = [self.command, "--sources=-", "--events", *options]
        with EngineProcess(arguments, source_lines(requests)) as process:
            is_finished = False
            for event in process.follow(self._log):
                if event is not None and event["event"] == self.command:
                    study, files = started[event["name"]]
                    self._note(replace(self._outcome(event, study.key), files=files))
                    yield Progress(None, _("Reading the studies"))
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
        if known is not None and known.files == files and self._is_enough(known):
            self._note(known)
        else:
            started[study.name] = study, files

    def _is_enough(self, known: ScanOutcome) -> bool:
        """Return whether an earlier outcome of the same files tells all."""
        return True

    def _outcome(self, event: Event, key: str) -> ScanOutcome:
        return ScanOutcome(
            key,
            tuple(event["stations"]),
            tuple(event["findings"]),
            tuple(event["passed_over"]),
            event["scanner"],
            event["code"],
            event["reason"],
        )

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
