"""Scan or check studies in the background, a few at a time, and keep the outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, Optional

from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.job import JobState
from MIMIRLib.notifier import Notifier
from MIMIRLib.presenter.panel_words import panel_words
from MIMIRLib.translate import tr as _

#: Studies that one process of the engine reads; then those that are ticked by then are next.
STUDIES_AT_ONCE = 10
MakeJob = Callable[[Sequence[StudyEntry], Mapping[str, ScanOutcome]], ScanJob]


class StudyScans:
    """The queue of studies to scan, or to check.

    Args:
        make_job: Makes a job for some studies, given the outcomes so far.
        outcomes: By the study's UID; scans and checks share them.

    Attributes:
        scanned: Emits a study's UID when its outcome is new.
        ended: Emits each job that has ended.
    """

    def __init__(self, make_job: MakeJob, outcomes: dict[str, ScanOutcome]) -> None:
        self.scanned, self.ended = Notifier(), Notifier()
        self._outcomes = outcomes
        self._make_job = make_job
        self._wanted: tuple[StudyEntry, ...] = ()
        self._done: set[StudyEntry] = set()
        self._under_way: set[StudyEntry] = set()
        self._job: Optional[ScanJob] = None

    @property
    def is_running(self) -> bool:
        """True while studies are being read."""
        return self._job is not None

    @property
    def waiting(self) -> tuple[StudyEntry, ...]:
        """The wanted studies whose outcome is not known, or not looked at again."""
        return tuple(entry for entry in self._wanted if entry not in self._done)

    def want(self, entries: Iterable[StudyEntry]) -> None:
        """Read these studies, in this order, unless that was done; stop reading others."""
        self._wanted = tuple(dict.fromkeys(entries))
        if self._job is not None and not self._under_way <= {*self._wanted}:
            self._job.cancel()
        self._start()

    def look_again(self, study_uid: str = "") -> None:
        """Look for changed files of a study, or of all, the next time that it is wanted."""
        self._done -= {entry for entry in self._done if study_uid in ("", entry.study_uid)}

    def step(self) -> None:
        """Do a little of the work; for a timer."""
        if self._job is not None:
            self._job.step()

    def cancel(self) -> None:
        """Stop immediately; outcomes stay."""
        self.want(())
        if self._job is not None:
            self._job.cancel()
        self.look_again()

    def _start(self) -> None:
        entries = self.waiting[:STUDIES_AT_ONCE]
        if self._job is not None or not entries:
            return
        self._under_way = {*entries}
        self._job = self._make_job(entries, self._outcomes)
        self._job.scanned.connect(self._note)
        self._job.ended.connect(self._go_on)
        self._job.start()

    def _note(self, outcome: ScanOutcome) -> None:
        done = {entry for entry in self._under_way if entry.study_uid == outcome.key}
        self._under_way -= done
        self._done |= done
        if self._outcomes.get(outcome.key) != outcome:
            self._outcomes[outcome.key] = outcome
            self.scanned.emit(outcome.key)

    def _go_on(self, job: ScanJob) -> None:
        self._job = None
        if job.state is not JobState.CANCELLED:
            self._done |= self._under_way  # those of a job that failed, or it would start again
        self._under_way = set()
        self._start()
        self.ended.emit(job)


def describe_scan(outcome: ScanOutcome) -> str:
    """Return an outcome in a line: what was found, or why the study cannot be measured."""
    if not outcome.is_readable:
        text = _("Cannot be measured: {reason} ({code})")
        if any(finding["code"] == outcome.code for finding in outcome.findings):
            text = _("Cannot be measured: see the findings. ({code})")
        return text.format(reason=panel_words(outcome.reason), code=outcome.code)
    text = _("Readable: {stations}.")
    if outcome.is_checked:
        text = _("Headers and images were checked: {stations}.")
    return text.format(stations=stations_text(len(outcome.stations)))


def stations_text(count: int) -> str:
    """Return a number of stations."""
    return _("1 station") if count == 1 else _("{count} stations").format(count=count)
