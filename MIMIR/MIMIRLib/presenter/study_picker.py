"""Which studies of the database are listed, fit the filter, and are ticked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.presenter.rows import Cell, Row, filter_pattern, fitting

#: Heads of the columns of :func:`study_row`.
STUDY_COLUMNS = ("Patient", "Date", "Status", "Stations", "Description")


class StudyPicker:
    """The list of studies as the user has arranged it.

    Attributes:
        entries: The studies of the database, in its order.
        pattern: The filter's, see ``filter_pattern``.
        shown: UIDs of the studies that it leaves.
        chosen: UIDs of the studies ticked; also of those that this database does not hold.
    """

    def __init__(self) -> None:
        self.entries: tuple[StudyEntry, ...] = ()
        self.pattern = ""
        self.shown: frozenset[str] = frozenset()
        self.chosen: set[str] = set()

    @property
    def rows(self) -> tuple[Row, ...]:
        """All studies listed, whether the filter leaves them or not."""
        return tuple(study_row(entry, entry.study_uid in self.chosen) for entry in self.entries)

    @property
    def ticked(self) -> tuple[StudyEntry, ...]:
        """The studies ticked that are here, in the list's order."""
        return tuple(entry for entry in self.entries if entry.study_uid in self.chosen)

    def filter(self, text: str) -> None:
        """Leave only studies with all words of a text."""
        self.pattern = filter_pattern(text)
        self._filter()

    def tick(self, study_uid: str, ticked: bool) -> None:
        """Tick a study, or take its tick away."""
        (self.chosen.add if ticked else self.chosen.discard)(study_uid)

    def tick_shown(self) -> None:
        """Tick all complete studies that the filter leaves."""
        self.chosen.update(
            entry.study_uid
            for entry in self.entries
            if entry.study_uid in self.shown and is_complete(entry)
        )

    def list(self, entries: Sequence[StudyEntry]) -> None:
        """Take the database's studies of now; ticks stay."""
        self.entries = tuple(entries)
        self._filter()

    def choose(self, study_uids: Iterable[str]) -> None:
        """Tick exactly these."""
        self.chosen = set(study_uids)

    def _filter(self) -> None:
        self.shown = frozenset(row.key for row in fitting(self.rows, self.pattern))


def is_complete(entry: StudyEntry) -> bool:
    """Whether all series that a measurement needs seem to be there."""
    return entry.completeness is Completeness.COMPLETE


def study_row(entry: StudyEntry, ticked: bool) -> Row:
    """A study as a row of the panel's table."""
    status = entry.completeness.value
    if not is_complete(entry):
        status = f"{status}: {entry.reason}"
    return Row(
        entry.study_uid,
        (
            Cell(entry.patient_name, tooltip=f"Patient ID {entry.patient_id}"),
            Cell(entry.study_date),
            Cell(status, tooltip=entry.reason),
            Cell(str(entry.stations), entry.stations),
            Cell(entry.study_description, tooltip=entry.study_description),
        ),
        ticked,
    )


def study_title(entry: StudyEntry) -> str:
    """A study as people call it, for the screen only."""
    return ", ".join(part for part in (entry.patient_name, entry.study_date) if part)
