"""Keep the list of studies: the filter and the ticks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.presenter.table_row import Cell, Row, filter_pattern
from MIMIRLib.translate import tr as _

#: Headers of the columns of ``study_row``.
STUDY_COLUMNS = (_("Patient"), _("Date"), _("Status"), _("Stations"), _("Description"))
STATUS_WORDS = {
    Completeness.COMPLETE: _("complete"),
    Completeness.INCOMPLETE: _("incomplete: {reason}"),
    Completeness.UNCLEAR: _("unclear: {reason}"),
}


class StudyPicker:
    """The list of studies with the user's filter and ticks.

    Attributes:
        entries: The studies of the database, in its order.
        pattern: The filter's pattern, see ``filter_pattern``.
        shown: UIDs of the studies that match the filter.
        chosen: UIDs of the studies ticked, including those that this database does not contain.
    """

    def __init__(self) -> None:
        self.entries: tuple[StudyEntry, ...] = ()
        self.pattern = ""
        self.shown: frozenset[str] = frozenset()
        self.chosen: set[str] = set()

    @property
    def rows(self) -> tuple[Row, ...]:
        """All studies, including those that the filter hides."""
        return tuple(study_row(entry, entry.study_uid in self.chosen) for entry in self.entries)

    @property
    def ticked(self) -> tuple[StudyEntry, ...]:
        """The ticked studies of this database, in the list's order."""
        return tuple(entry for entry in self.entries if entry.study_uid in self.chosen)

    def filter(self, text: str) -> None:
        """Show only studies with all words of a text."""
        self.pattern = filter_pattern(text)
        self._filter()

    def tick(self, study_uid: str, ticked: bool) -> None:
        """Tick or untick a study."""
        (self.chosen.add if ticked else self.chosen.discard)(study_uid)

    def tick_shown(self) -> None:
        """Tick all complete studies that match the filter."""
        self.chosen.update(
            entry.study_uid
            for entry in self.entries
            if entry.study_uid in self.shown and is_complete(entry)
        )

    def list(self, entries: Sequence[StudyEntry]) -> None:
        """Replace the studies of the database; ticks stay."""
        self.entries = tuple(entries)
        self._filter()

    def choose(self, study_uids: Iterable[str]) -> None:
        """Tick exactly these."""
        self.chosen = set(study_uids)

    def _filter(self) -> None:
        self.shown = frozenset(row.key for row in self.rows if re.match(self.pattern, row.searched))


def is_complete(entry: StudyEntry) -> bool:
    """Return whether a study seems to have all series that a measurement needs."""
    return entry.completeness is Completeness.COMPLETE


def study_row(entry: StudyEntry, ticked: bool) -> Row:
    """Return a study as a row of the panel's table."""
    return Row(
        entry.study_uid,
        (
            Cell(entry.patient_name, tooltip=_("Patient ID {id}").format(id=entry.patient_id)),
            Cell(entry.study_date),
            Cell(
                STATUS_WORDS[entry.completeness].format(reason=entry.reason), tooltip=entry.reason
            ),
            Cell(str(entry.stations), entry.stations),
            Cell(entry.study_description, tooltip=entry.study_description),
        ),
        ticked,
    )


def study_title(entry: StudyEntry) -> str:
    """Return a study's name for people, for the screen only."""
    return ", ".join(part for part in (entry.patient_name, entry.study_date) if part)
