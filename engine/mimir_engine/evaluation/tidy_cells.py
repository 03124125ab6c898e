"""The rows of a tidy table (study, target, numbers), checked and laid out by study and target."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mimir_engine.evaluation.strict_table import Table, invalid, to_text

#: Studies × targets held in memory at once.
MOST_CELLS = 20_000_000
#: The columns that are text and no groups.
TEXTS = ("study", "target", "unit")


@dataclass(frozen=True, eq=False)
class Cells:
    """The rows of a tidy table, column-wise, before they are laid out by study and target."""

    table: str
    studies: Mapping[str, int]
    targets: Mapping[str, int]
    units: list[str]
    #: Name of each group, and each study's entries.
    group_names: tuple[str, ...]
    memberships: list[tuple[str, ...]]
    #: Row's line, study and target.
    lines: array[int]
    rows: array[int]
    columns: array[int]
    numbers: Mapping[str, array[float]]

    def dense(self, name: str) -> np.ndarray:
        """A column of numbers as float64 (studies, targets), NaN where there is no row."""
        values = np.full((len(self.studies), len(self.targets)), np.nan)
        values[np.asarray(self.rows), np.asarray(self.columns)] = self.numbers[name]
        return values

    def groups(self) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(m[i] for m in self.memberships) for i, name in enumerate(self.group_names)
        }


def read_cells(table: Table, numbers: Mapping[str, str]) -> Cells:
    """Read all rows of a tidy table.

    Args:
        table: With columns ``study`` and ``target``; ``unit`` if known.
        numbers: Names to give the columns of numbers, and those columns. The rest are groups.
    """
    at_study, at_target = table.index("study"), table.index("target")
    at_unit = table.columns.index("unit") if "unit" in table.columns else None
    taken = {*TEXTS, *numbers.values()}
    group_names = tuple(column for column in table.columns if column not in taken)
    at_groups = [table.columns.index(name) for name in group_names]
    columns = [(name, c, table.columns.index(c), array("d")) for name, c in numbers.items()]
    studies: dict[str, int] = {}
    targets: dict[str, int] = {}
    units: list[str] = []
    memberships: list[tuple[str, ...]] = []
    lines, rows, places = array("q"), array("q"), array("q")
    for line, row in table.rows:
        study, target = to_text(row[at_study]), to_text(row[at_target])
        if not study.strip() or not target.strip():
            empty = "study" if not study.strip() else "target"
            raise invalid(table.name, "is empty", line, empty)
        unit = "" if at_unit is None else to_text(row[at_unit])
        members = tuple([to_text(row[i]) for i in at_groups])
        if study not in studies:
            studies[study] = len(studies)
            memberships.append(members)
        elif memberships[studies[study]] != members:
            before = memberships[studies[study]]
            name = next(n for n, a, b in zip(group_names, before, members) if a != b)
            raise invalid(table.name, f"differs from other rows of '{study}'", line, name)
        if target not in targets:
            targets[target] = len(targets)
            units.append(unit)
        elif units[targets[target]] != unit:
            raise invalid(table.name, f"differs from other rows of '{target}'", line, "unit")
        lines.append(line)
        rows.append(studies[study])
        places.append(targets[target])
        for name, column, index, values in columns:
            values.append(table.number(row[index], line, column, is_sd=name == "sd"))
    stored = {name: values for name, _, _, values in columns}
    cells = Cells(
        table.name, studies, targets, units, group_names, memberships, lines, rows, places, stored
    )
    _check_layout(cells)
    return cells


def _check_layout(cells: Cells) -> None:
    """Every study and target at most once, and not so many that they fill the memory."""
    if not cells.studies:
        raise invalid(cells.table, "has no rows")
    if len(cells.studies) * len(cells.targets) > MOST_CELLS:
        raise invalid(
            cells.table,
            f"spans {len(cells.studies):,} studies × {len(cells.targets):,} targets,"
            f" more than {MOST_CELLS:,} values",
        )
    flat = np.asarray(cells.rows) * len(cells.targets) + np.asarray(cells.columns)
    first = np.zeros(len(flat), dtype=bool)
    first[np.unique(flat, return_index=True)[1]] = True
    if not first.all():
        line = cells.lines[int(np.argmin(first))]
        raise invalid(cells.table, "this study and target were there before", line)
    if "lower" in cells.numbers:
        crossed = np.asarray(cells.numbers["lower"]) > np.asarray(cells.numbers["upper"])
        if crossed.any():
            line = cells.lines[int(np.argmax(crossed))]
            raise invalid(cells.table, "the lower bound lies above the upper", line)
