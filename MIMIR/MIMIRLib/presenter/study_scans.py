"""Scan studies in the background, a few at a time, and keep the outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, Optional

from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.notifier import Notifier
from MIMIRLib.translate import tr as _

#: Studies that one process of the engine scans; then those that are ticked by then are next.
STUDIES_AT_ONCE = 10
#: Findings of a study shown below the list; all are in the tooltip and in the results.
MAX_FINDINGS = 5

MakeJob = Callable[[Sequence[StudyEntry], Mapping[str, ScanOutcome]], ScanJob]


class StudyScans:
    """The outcomes of scans, and the queue of studies to scan.

    Args:
        make_job: Makes a job for some studies, given the outcomes so far.

    Attributes:
        outcomes: By the study's UID.
        scanned: Emits a study's UID when its outcome is new.
        ended: Emits each job that has ended.
    """

    def __init__(self, make_job: MakeJob) -> None:
        self.outcomes: dict[str, ScanOutcome] = {}
        self.scanned, self.ended = Notifier(), Notifier()
        self._make_job = make_job
        self._wanted: tuple[StudyEntry, ...] = ()
        self._checked: set[StudyEntry] = set()
        self._job: Optional[ScanJob] = None

    @property
    def is_running(self) -> bool:
        """True while studies are being scanned."""
        return self._job is not None

    @property
    def waiting(self) -> tuple[StudyEntry, ...]:
        """The wanted studies whose outcome is not known, or not checked again."""
        return tuple(entry for entry in self._wanted if entry not in self._checked)

    def want(self, entries: Iterable[StudyEntry]) -> None:
        """Scan these studies, in this order, unless they have been scanned; no others."""
        self._wanted = tuple(dict.fromkeys(entries))
        self._start()

    def check_again(self) -> None:
        """Look for changed files of all studies that are wanted from now on."""
        self._checked.clear()

    def check_refused_again(self, study_uid: str) -> None:
        """Look for changed files of a study if it was refused."""
        outcome = self.outcomes.get(study_uid)
        if outcome is not None and not outcome.is_readable:
            self._checked -= {entry for entry in self._checked if entry.study_uid == study_uid}

    def step(self) -> None:
        """Do a little of the work; for a timer."""
        if self._job is not None:
            self._job.step()

    def cancel(self) -> None:
        """Stop immediately; outcomes stay."""
        self._wanted = ()
        if self._job is not None:
            self._job.cancel()
        self.check_again()

    def _start(self) -> None:
        entries = self.waiting[:STUDIES_AT_ONCE]
        if self._job is not None or not entries:
            return
        self._checked.update(entries)  # also those whose scan fails, or it would start again
        self._job = self._make_job(entries, self.outcomes)
        self._job.scanned.connect(self._note)
        self._job.ended.connect(self._go_on)
        self._job.start()

    def _note(self, outcome: ScanOutcome) -> None:
        if self.outcomes.get(outcome.key) != outcome:
            self.outcomes[outcome.key] = outcome
            self.scanned.emit(outcome.key)

    def _go_on(self, job: ScanJob) -> None:
        self._job = None
        self._start()
        self.ended.emit(job)


def describe_scan(outcome: ScanOutcome) -> str:
    """Return an outcome in some lines: what was found, or why the study cannot be measured."""
    if not outcome.is_readable:
        text = _("Cannot be measured: {reason} ({code})")
        return text.format(reason=outcome.reason, code=outcome.code)
    sentences = finding_sentences(outcome)
    lines = [_("Readable: {stations}.").format(stations=stations_text(len(outcome.stations)))]
    lines += sentences[:MAX_FINDINGS]
    if len(sentences) > MAX_FINDINGS:
        lines.append(_("And {count} more findings.").format(count=len(sentences) - MAX_FINDINGS))
    return "\n".join(lines)


def finding_sentences(outcome: ScanOutcome) -> list[str]:
    """Return the findings as sentences."""
    texts = (finding["sentence"] for finding in outcome.findings)
    return [f"{text[:1].upper()}{text[1:]}." for text in texts]


def stations_text(count: int) -> str:
    """Return a number of stations."""
    return _("1 station") if count == 1 else _("{count} stations").format(count=count)
