"""Turn the tables of ``mimir infer`` and ``mimir measure`` into tidy ones.

A tidy table has one row per study and measurement, see `predictions`. A measurement is called like
its columns without what follows the name: ``liverFat``, ``direct_waist``, ``label_liver_volume``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimir_engine.files.table_reader import Table, to_text

_MEAN = re.compile(r"(?P<name>.+)_mean(?:_in_(?P<unit>.+))?")
_SCORE = re.compile(r"(?P<name>.+?)(?:_male)?_score")
_BOUND = re.compile(r"_(lower|upper)(\d{1,2}(?:\.\d+)?)")
_DIRECT = re.compile(r"(?P<name>direct_.+)_in_(?P<unit>.+)")
_LABEL = re.compile(r"(?P<name>label_.+)_(?P<unit>litres|percent)")
_LABEL_VALUE = re.compile(r"(?P<what>.+)_(?P<unit>litres|percent)")
#: Column of ``labels.csv`` with the name of the label.
LABEL_NAME = "label_name"
#: Names of labels in all studies together; a segmentation has some hundred.
MAX_LABELS = 10_000
#: Units of labels by the last word of their columns.
LABEL_UNITS = {"litres": "L", "percent": "%"}


@dataclass(frozen=True)
class Measured:
    """A measurement, and its columns in a table.

    Attributes:
        name: Its name, as above.
        unit: Its unit; empty for a class.
        at: Index of its column of ``mean``, and of ``sd``, ``lower`` and ``upper`` if it has them.
    """

    name: str
    unit: str
    at: Mapping[str, int]


def estimates(table: Table) -> tuple[list[Measured], str]:
    """Find the estimates of networks, and the level of their intervals in percent.

    The level is empty if there are no intervals.

    Raises:
        MimirError: ``PREDICTIONS_INVALID`` for intervals of several levels.
    """
    at = {column: i for i, column in enumerate(table.columns)}
    found: list[Measured] = []
    levels: set[str] = set()
    for column, place in at.items():
        if match := _MEAN.fullmatch(column):
            name, unit, places = match["name"], match["unit"] or "", {"mean": place}
            sd = f"{name}_sd{column[len(name) + len('_mean') :]}"
            if sd in at:
                places["sd"] = at[sd]
            bounds = {
                b[1]: b for c in at if c.startswith(name) and (b := _BOUND.fullmatch(c, len(name)))
            }
            if len(bounds) == 2:
                levels |= {b[2] for b in bounds.values()}
                places |= {kind: at[b.string] for kind, b in bounds.items()}
            found.append(Measured(name, unit, places))
        elif match := _SCORE.fullmatch(column):
            found.append(Measured(match["name"], "", {"mean": place}))
    if len(levels) > 1:
        raise table.error("has intervals of several levels", 1)
    return found, levels.pop() if levels else ""


def measured_values(table: Table) -> list[Measured]:
    """Find the direct measurements and the labels of a table."""
    found = []
    for place, column in enumerate(table.columns):
        if match := _DIRECT.fullmatch(column):
            found.append(Measured(match["name"], match["unit"], {"mean": place}))
        elif match := _LABEL.fullmatch(column):
            found.append(Measured(match["name"], LABEL_UNITS[match["unit"]], {"mean": place}))
    return found


def tidy(table: Table) -> Table:
    """Turn the estimates of a table into a tidy table.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``.
    """
    measurements, percent = estimates(table)
    if not measurements:
        raise table.error("has no column '<target>_mean_in_<unit>'", 1)
    return tidy_table(table, measurements, percent)


def tidy_table(table: Table, measurements: Collection[Measured], percent: str) -> Table:
    """Turn some measurements of a table into a tidy table.

    Args:
        table: With one row per study.
        measurements: Of this table.
        percent: Level of the intervals, in percent; empty without intervals.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``.
    """
    bounds = [f"lower{percent}", f"upper{percent}"] if percent else []
    kinds = ["mean", "sd", *(["lower", "upper"] if percent else [])]
    eid = ["eid"] if "eid" in table.columns else []

    at_name, at_eid = table.index("name"), [table.index(column) for column in eid]

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        yield 1, ["study", "target", "unit", "mean", "sd", *bounds, *eid]
        names: set[str] = set()
        for line, row in table.rows:
            name = to_text(row[at_name])
            if not name.strip() or name in names:
                raise table.error("is empty or repeated", line, "name")
            names.add(name)
            for m in measurements:
                numbers = [
                    table.number(row[m.at[kind]], line, table.columns[m.at[kind]], kind == "sd")
                    if kind in m.at
                    else math.nan
                    for kind in kinds
                ]
                yield line, [row[at_name], m.name, m.unit, *numbers, *(row[i] for i in at_eid)]

    return Table(table.name, rows(), table.error)


def label_values(table: Table) -> dict[str, Measured]:
    """Find what ``labels.csv`` holds of each label: volume and fat fractions, by name."""
    found = {}
    for place, column in enumerate(table.columns):
        if match := _LABEL_VALUE.fullmatch(column):
            found[match["what"]] = Measured(
                match["what"], LABEL_UNITS[match["unit"]], {"mean": place}
            )
    return found


def labels_of(table: Table) -> dict[str, str]:
    """Return the unit of each measurement of ``labels.csv``, by the name that it has elsewhere.

    Reads the whole table.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``.
    """
    at_label, values = table.index(LABEL_NAME), label_values(table)
    names: set[str] = set()
    for line, row in table.rows:
        names.add(to_text(row[at_label]))
        if len(names) > MAX_LABELS:
            raise table.error(f"there are more than {MAX_LABELS:,} labels", line, LABEL_NAME)
    return {f"label_{name}_{what}": m.unit for name in sorted(names) for what, m in values.items()}


def tidy_labels(table: Table, wanted: Collection[str]) -> Table:
    """Turn some measurements of ``labels.csv``, one row per study and label, into a tidy table.

    Args:
        table: ``labels.csv``.
        wanted: Names as of `labels_of`.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``.
    """
    at_name, at_label, values = table.index("name"), table.index(LABEL_NAME), label_values(table)
    eid = [table.index("eid")] if "eid" in table.columns else []

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        yield 1, ["study", "target", "unit", "mean", *(["eid"] if eid else [])]
        for line, row in table.rows:
            for what, m in values.items():
                name, at = f"label_{to_text(row[at_label])}_{what}", m.at["mean"]
                if name in wanted:
                    value = table.number(row[at], line, table.columns[at])
                    yield line, [row[at_name], name, m.unit, value, *(row[i] for i in eid)]

    return Table(table.name, rows(), table.error)


def both_tables(first: Table, second: Table) -> Table:
    """Join two tidy tables; columns of the second that the first lacks are left out."""

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        yield 1, first.columns
        yield from first.rows
        at = {column: i for i, column in enumerate(second.columns)}
        for line, row in second.rows:
            yield line, [row[at[column]] if column in at else None for column in first.columns]

    return Table(first.name, rows(), first.error)
