"""Keep the list of studies: the filter, the ticks, the selected one, and what scans found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Optional

from MIMIRLib.analysis.scan_job import ScanOutcome
from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.presenter.finding_list import StudyFindings, finding_sentence
from MIMIRLib.presenter.panel_words import panel_words
from MIMIRLib.presenter.study_scans import describe_scan
from MIMIRLib.presenter.table_row import Cell, Row, filter_pattern
from MIMIRLib.translate import tr as _

#: The code of a study that is refused unless water and fat are exchanged back.
EXCHANGED = "WATER_FAT_EXCHANGED"
#: Headers of the columns of ``study_row``.
STUDY_COLUMNS = (_("Patient"), _("Date"), _("Status"), _("Stations"), _("Description"))
STATUS_WORDS = {
    Completeness.COMPLETE: _("complete"),
    Completeness.INCOMPLETE: _("incomplete: {reason}"),
    Completeness.UNCLEAR: _("unclear: {reason}"),
}


class StudyPicker:
    """The list of studies with the user's filter and ticks.

    Args:
        outcomes: What scans found, by the study's UID; may grow.

    Attributes:
        entries: The studies of the database, in its order.
        pattern: The filter's pattern, see ``filter_pattern``.
        shown: UIDs of the studies that match the filter.
        chosen: UIDs of the studies ticked, including those that this database does not contain.
        selected: UID of the study that was selected or ticked last; empty if none was.
    """

    def __init__(self, outcomes: Mapping[str, ScanOutcome] = MappingProxyType({})) -> None:
        self.entries: tuple[StudyEntry, ...] = ()
        self.pattern = ""
        self.shown: frozenset[str] = frozenset()
        self.chosen: set[str] = set()
        self.selected = ""
        self._outcomes = outcomes

    @property
    def rows(self) -> tuple[Row, ...]:
        """All studies, including those that the filter hides."""
        return tuple(map(self._row, self.entries))

    @property
    def ticked(self) -> tuple[StudyEntry, ...]:
        """The ticked studies of this database, in the list's order."""
        return tuple(entry for entry in self.entries if entry.study_uid in self.chosen)

    @property
    def wanted(self) -> tuple[StudyEntry, ...]:
        """The studies to scan: the selected one, then the ticked ones."""
        selected = (entry for entry in self.entries if entry.study_uid == self.selected)
        return (*selected, *self.ticked)

    @property
    def unread(self) -> tuple[StudyEntry, ...]:
        """The ticked studies that have not been scanned."""
        return tuple(entry for entry in self.ticked if entry.study_uid not in self._outcomes)

    @property
    def doubtful(self) -> tuple[StudyEntry, ...]:
        """The ticked studies that have not been scanned and seem incomplete."""
        return tuple(entry for entry in self.unread if not is_complete(entry))

    @property
    def unchecked(self) -> tuple[StudyEntry, ...]:
        """The ticked studies whose headers are in order and whose images have not been checked."""
        found = ((entry, self._outcomes.get(entry.study_uid)) for entry in self.ticked)
        return tuple(
            entry
            for entry, outcome in found
            if outcome is not None and outcome.is_readable and not outcome.is_checked
        )

    @property
    def exchanged(self) -> tuple[StudyEntry, ...]:
        """The ticked studies that are refused because water and fat are exchanged."""
        codes = ((e, self._outcomes[e.study_uid].code) for e in self.refused)
        return tuple(entry for entry, code in codes if code == EXCHANGED)

    @property
    def refused(self) -> tuple[StudyEntry, ...]:
        """The ticked studies that cannot be measured, as scans found."""
        outcomes = self._outcomes
        return tuple(
            entry
            for entry in self.ticked
            if entry.study_uid in outcomes and not outcomes[entry.study_uid].is_readable
        )

    @property
    def description(self) -> str:
        """What the scan of the selected study found; empty if it is not known."""
        outcome = self._outcomes.get(self.selected)
        entries = (entry for entry in self.entries if entry.study_uid == self.selected)
        if outcome is None:
            return ""
        return "\n".join([*map(study_title, entries), describe_scan(outcome)])

    @property
    def findings(self) -> tuple[StudyFindings, ...]:
        """The findings of the selected study; empty if it was not scanned."""
        outcome = self._outcomes.get(self.selected)
        entries = (entry for entry in self.entries if entry.study_uid == self.selected)
        if outcome is None:
            return ()
        found = outcome.findings, outcome.stations, outcome.picture
        return tuple(StudyFindings(e.study_uid, study_title(e), *found) for e in entries)

    def row(self, study_uid: str) -> Optional[Row]:
        """Return the row of a study; None if the list does not contain it."""
        entries = (entry for entry in self.entries if entry.study_uid == study_uid)
        return next(map(self._row, entries), None)

    def filter(self, text: str) -> None:
        """Show only studies with all words of a text."""
        self.pattern = filter_pattern(text)
        self._filter()

    def tick(self, study_uid: str, ticked: bool) -> None:
        """Tick or untick a study."""
        (self.chosen.add if ticked else self.chosen.discard)(study_uid)
        if ticked:
            self.selected = study_uid

    def tick_shown(self) -> None:
        """Tick all studies that match the filter and are readable or, if not read, complete."""
        self.chosen.update(
            entry.study_uid
            for entry in self.entries
            if entry.study_uid in self.shown and self._is_promising(entry)
        )

    def select(self, study_uid: str) -> None:
        """Select a study."""
        self.selected = study_uid

    def list(self, entries: Sequence[StudyEntry]) -> None:
        """Replace the studies of the database; ticks stay."""
        self.entries = tuple(entries)
        self._filter()

    def choose(self, study_uids: Iterable[str]) -> None:
        """Tick exactly these."""
        self.chosen = set(study_uids)

    def note_scan(self) -> None:
        """Filter again, since the status of a study has changed."""
        if self.pattern:
            self._filter()

    def _filter(self) -> None:
        self.shown = frozenset(row.key for row in self.rows if re.match(self.pattern, row.searched))

    def _row(self, entry: StudyEntry) -> Row:
        return study_row(entry, entry.study_uid in self.chosen, self._outcomes.get(entry.study_uid))

    def _is_promising(self, entry: StudyEntry) -> bool:
        outcome = self._outcomes.get(entry.study_uid)
        return is_complete(entry) if outcome is None else outcome.is_readable


def is_complete(entry: StudyEntry) -> bool:
    """Return whether a study seems to have all series that a measurement needs."""
    return entry.completeness is Completeness.COMPLETE


def study_row(entry: StudyEntry, ticked: bool, outcome: Optional[ScanOutcome] = None) -> Row:
    """Return a study as a row of the panel's table.

    Args:
        entry: The study.
        ticked: Whether it is ticked.
        outcome: What its scan found; None if it was not scanned.
    """
    stations = entry.stations
    if outcome is not None and outcome.is_readable:
        stations = len(outcome.stations)
    return Row(
        entry.study_uid,
        (
            Cell(entry.patient_name, tooltip=_("Patient ID {id}").format(id=entry.patient_id)),
            Cell(entry.study_date),
            _listed_status(entry) if outcome is None else _scanned_status(outcome),
            Cell(str(stations), stations),
            Cell(entry.study_description, tooltip=entry.study_description),
        ),
        ticked,
    )


def _listed_status(entry: StudyEntry) -> Cell:
    text = STATUS_WORDS[entry.completeness].format(reason=entry.reason)
    return Cell(text, tooltip=entry.reason)


def _scanned_status(outcome: ScanOutcome) -> Cell:
    if not outcome.is_readable:
        text = _("refused: {reason}").format(reason=panel_words(outcome.reason))
        return Cell(text, tooltip=describe_scan(outcome))
    word = _("checked") if outcome.is_checked else _("readable")
    sentences = [finding_sentence(finding) for finding in outcome.findings]
    if not sentences:
        return Cell(word, tooltip=describe_scan(outcome))
    text = _("{word}, 1 finding") if len(sentences) == 1 else _("{word}, {count} findings")
    return Cell(text.format(word=word, count=len(sentences)), tooltip="\n".join(sentences))


def study_title(entry: StudyEntry) -> str:
    """Return a study's name for people, for the screen only."""
    return ", ".join(part for part in (entry.patient_name, entry.study_date) if part)
