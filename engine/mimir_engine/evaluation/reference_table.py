"""Join predictions and references from two files by study and target."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, tidy_predictions
from mimir_engine.files.table_reader import Table, TidyTable, open_table, read_tidy, to_text
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

_MEAN = re.compile(r"(?P<name>.+)_mean(?:_in_(?P<unit>.+))?")
_SCORE = re.compile(r"(?P<name>.+?)(?:_male)?_score")
_BOUND = re.compile(r"_(lower|upper)(\d{1,2}(?:\.\d+)?)")


def read_with_reference(
    predictions: Path, reference: Optional[Path] = None, level: float = DEFAULT_LEVEL
) -> Predictions:
    """Read predictions of either kind, and their references if these are in a separate file.

    Args:
        predictions: The tidy table, or ``predictions.csv`` of ``mimir infer``.
        reference: A tidy table ``study,target,value``, with ``unit`` and further columns that
            describe the study if these are known. Replaces the references of the first table.
        level: Level of intervals whose columns do not name it.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``, ``REFERENCE_UNMATCHED``, ``EXTRA_MISSING``.
    """
    with open_table(Path(predictions)) as table:
        is_wide = "target" not in table.columns and "name" in table.columns
        read = tidy_predictions(tidy(table) if is_wide else table, level)
    if reference is None:
        if is_wide or not np.isfinite(read.reference).any():
            raise MimirError(
                "REFERENCE_UNMATCHED",
                f"'{Path(predictions).name}' has no reference values",
                "Give them with --reference: a table with columns study, target, value.",
            )
        return read
    with open_table(Path(reference)) as table:
        table.index("value")
        return _with_reference(read, read_tidy(table, {"value": "value"}))


def _with_reference(predictions: Predictions, table: TidyTable) -> Predictions:
    """Add the references of a tidy table to predictions; rows of other studies are ignored."""
    targets = [table.targets.get(name, -1) for name in predictions.names]
    studies = [table.studies.get(name, -1) for name in predictions.studies]
    if max(targets) < 0 or max(studies) < 0:
        what = "study" if max(targets) >= 0 else "target"
        raise MimirError(
            "REFERENCE_UNMATCHED",
            f"'{table.name}' has no {what} of the predictions",
            "Names must be the same in both.",
        )
    for name, unit, target in zip(predictions.names, predictions.units, targets):
        other = table.units[target] if target >= 0 else ""
        if unit and other and unit != other:
            raise MimirError(
                "REFERENCE_UNMATCHED",
                f"'{name}' is predicted in {unit}, but its reference is in {other}",
                "Give the reference in the unit of the prediction.",
            )
    # -1 is the place of the gaps that are added behind the table's own rows and columns.
    values = np.pad(table.numbers["value"], ((0, 1), (0, 1)), constant_values=np.nan)
    reference = values[np.ix_(studies, targets)]
    groups = {
        name: tuple(entries[row] if row >= 0 else "" for row in studies)
        for name, entries in table.groups.items()
    }
    return replace(predictions, reference=reference, groups={**predictions.groups, **groups})


#: Name and unit of a measurement, and the indices of its columns of mean, SD and bounds.
_Measurement = tuple[str, str, dict[str, int]]


def tidy(table: Table) -> Table:
    """Turn the table of ``mimir infer`` into a tidy one: one row per study and measurement.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``.
    """
    measurements, percent = _measurements(table)
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
            for target, unit, at in measurements:
                numbers = [
                    table.number(row[at[kind]], line, table.columns[at[kind]], kind == "sd")
                    if kind in at
                    else math.nan
                    for kind in kinds
                ]
                yield line, [row[at_name], target, unit, *numbers, *(row[i] for i in at_eid)]

    return Table(table.name, rows(), table.error)


def _measurements(table: Table) -> tuple[list[_Measurement], str]:
    """Find the measurements of a table and their interval level in percent, empty for none."""
    at = {column: i for i, column in enumerate(table.columns)}
    found: list[_Measurement] = []
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
            found.append((name, unit, places))
        elif match := _SCORE.fullmatch(column):
            found.append((match["name"], "", {"mean": place}))
    if not found:
        raise table.error("has no column '<target>_mean_in_<unit>'", 1)
    if len(levels) > 1:
        raise table.error("has intervals of several levels", 1)
    return found, levels.pop() if levels else ""
