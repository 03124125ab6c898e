"""The sex that the user recorded: one for all studies, a table, or that of the headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mimir_engine.errors import MimirError
from mimir_engine.files.table_reader import GAPS, open_table, to_text
from mimir_engine.inference_module.statistics import SEXES, sex_of_text
from mimir_engine.measuring.chosen_sex import RECORDED
from mimir_engine.source.source_name import uk_biobank_ids
from mimir_engine.study.study_facts import StudyFacts

INVALID = "SEX_TABLE_INVALID"
HEADER, TABLE = "header", "table"
#: Columns that name a study or a participant; the first that a table has is used.
NAME_COLUMNS = ("study", "name", "eid", "participant", "person")


@dataclass(frozen=True)
class RecordedSex:
    """Where the recorded sex of a study is found.

    Attributes:
        kind: ``female`` or ``male`` for all studies, ``header``, ``table``; empty without any.
        by_name: With a table, the sex by name of a study or participant.
    """

    kind: str = ""
    by_name: Mapping[str, str] = field(default_factory=dict)

    def of(self, study: StudyFacts) -> str:
        """Return ``female``, ``male`` or, if it is not recorded, an empty text."""
        if self.kind == HEADER:
            return study.traits.sex
        return self.kind if self.kind in SEXES else self._listed(study.name, study.eid)

    def knows(self, name: str) -> bool:
        """Return whether a table has the sex of a study of this name."""
        return bool(self._listed(name, uk_biobank_ids(name)[0]))

    def among(self, names: Iterable[str]) -> RecordedSex:
        """Return the same without the rows of a table about other studies."""
        wanted = {key for name in names for key in (name, uk_biobank_ids(name)[0])}
        rows = {key: self.by_name[key] for key in sorted(wanted & self.by_name.keys())}
        return RecordedSex(self.kind, rows)

    def is_current(self, entry: Mapping[str, Any]) -> bool:
        """Return whether the ledger's entry of a study still has the sex that a table records."""
        if self.kind != TABLE:
            return True
        found = {m["sex"] for m in entry["measurements"] if m["sex_source"] == RECORDED}
        return found <= {self._listed(entry["name"], entry["eid"])} - {""} and (
            bool(found) or not self._listed(entry["name"], entry["eid"])
        )

    def _listed(self, name: str, eid: str) -> str:
        return self.by_name.get(name) or self.by_name.get(eid, "")


def read_recorded_sex(text: str) -> RecordedSex:
    """Read the option ``--sex``: female, male, header, or the path of a table.

    A table has one row per study or participant, the columns `NAME_COLUMNS` (one of them) and
    ``sex``; a gap is an unknown sex.

    Raises:
        MimirError: ``SEX_TABLE_INVALID``.
    """
    if text in ("", HEADER, *SEXES):
        return RecordedSex(text)
    by_name: dict[str, str] = {}
    with open_table(Path(text), INVALID, "docs/modules.md") as table:
        named = next((name for name in NAME_COLUMNS if name in table.columns), NAME_COLUMNS[0])
        at_name, at_sex = table.index(named), table.index("sex")
        for line, row in table.rows:
            name, cell = to_text(row[at_name]).strip(), to_text(row[at_sex]).strip()
            if cell.lower() in GAPS:
                continue
            sex = sex_of_text(cell)
            if not sex:
                raise table.error("must be female or male (f, m, 0, 1)", line, "sex")
            if by_name.setdefault(name, sex) != sex:
                raise table.error("differs from another row of the same name", line, "sex")
    return RecordedSex(TABLE, by_name)


def count_known(recorded: RecordedSex, names: Iterable[str]) -> int:
    """Count the studies whose sex a table has.

    Raises:
        MimirError: ``SEX_TABLE_INVALID`` if it has none of them.
    """
    known = sum(map(recorded.knows, names))
    if not known:
        raise MimirError(
            INVALID,
            "the table of --sex has none of these studies",
            f"Name studies as MIMIR does, or participants, in the column {NAME_COLUMNS[0]}.",
        )
    return known
