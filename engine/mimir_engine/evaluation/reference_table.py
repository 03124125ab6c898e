"""Predictions and references from two files, brought together by study and target."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import (
    DEFAULT_LEVEL,
    Predictions,
    level_of,
    tidy_predictions,
)
from mimir_engine.files.table_reader import (
    MOST_CELLS,
    Cells,
    Table,
    invalid,
    open_table,
    read_cells,
    to_text,
)

_MEAN = re.compile(r"(?P<name>.+)_mean(?:_in_(?P<unit>.+))?")
_SCORE = re.compile(r"(?P<name>.+?)(?:_male)?_score")
_BOUND = re.compile(r"_(lower|upper)(\d{1,2}(?:\.\d+)?)")


def read_with_reference(
    predictions: Path, reference: Optional[Path] = None, level: float = DEFAULT_LEVEL
) -> Predictions:
    """Read predictions of any kind, and their references where these are in a file of their own.

    Args:
        predictions: The tidy table, or ``predictions.csv`` of ``mimir infer``.
        reference: A tidy table ``study,target,value``, with ``unit`` and further columns that say
            something of the study if these are known. Takes the place of the first table's own.
        level: Of intervals whose columns don't name it.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``, ``REFERENCE_UNMATCHED``, ``EXTRA_MISSING``.
    """
    with open_table(Path(predictions)) as table:
        is_wide = "target" not in table.columns and "name" in table.columns
        read = wide_predictions(table) if is_wide else tidy_predictions(table, level)
    if reference is None:
        if is_wide or not np.isfinite(read.reference).any():
            raise MimirError(
                "REFERENCE_UNMATCHED",
                f"'{Path(predictions).name}' holds no reference values",
                "Give them with --reference: a table study,target,value.",
            )
        return read
    with open_table(Path(reference)) as table:
        cells = read_cells(table, {"value": table.columns[table.index("value")]})
    return with_reference(read, cells)


def with_reference(predictions: Predictions, cells: Cells) -> Predictions:
    """Predictions with the references of a tidy table; rows of others are left out.

    Raises:
        MimirError: ``REFERENCE_UNMATCHED`` where none fits or a unit differs.
    """
    targets = [(i, name) for i, name in enumerate(predictions.names) if name in cells.targets]
    studies = [(i, name) for i, name in enumerate(predictions.studies) if name in cells.studies]
    if not targets or not studies:
        what = "study" if targets else "target"
        raise MimirError(
            "REFERENCE_UNMATCHED",
            f"'{cells.table}' has no {what} that the predictions have",
            "Names must be the same in both.",
        )
    for i, name in targets:
        units = predictions.units[i], cells.units[cells.targets[name]]
        if all(units) and units[0] != units[1]:
            raise MimirError(
                "REFERENCE_UNMATCHED",
                f"'{name}' is predicted in {units[0]}, its reference is in {units[1]}",
                "Give the reference in the unit of the prediction.",
            )
    reference = np.full(predictions.mean.shape, np.nan)
    to_rows, to_columns = (np.array([i for i, _ in found]) for found in (studies, targets))
    rows = np.array([cells.studies[name] for _, name in studies])
    columns = np.array([cells.targets[name] for _, name in targets])
    reference[np.ix_(to_rows, to_columns)] = cells.dense("value")[np.ix_(rows, columns)]
    row_of = cells.studies
    groups = {
        name: tuple(members[row_of[s]] if s in row_of else "" for s in predictions.studies)
        for name, members in cells.groups().items()
    }
    return replace(predictions, reference=reference, groups={**predictions.groups, **groups})


# --- predictions.csv of `mimir infer` ---


@dataclass(frozen=True)
class _Columns:
    """Where a measurement stands in the wide table; -1 where it does not."""

    name: str
    unit: str
    mean: int
    sd: int = -1
    lower: int = -1
    upper: int = -1


def wide_predictions(table: Table) -> Predictions:
    """Predictions out of the table of ``mimir infer``, without references.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``.
    """
    columns, level = _measurements(table)
    at_name = table.index("name")
    kinds = ("mean", "sd", "lower", "upper")
    values = {kind: array("d") for kind in kinds}
    studies: dict[str, int] = {}
    eids: list[str] = []
    for line, row in table.rows:
        study = to_text(row[at_name])
        if not study.strip() or study in studies:
            raise invalid(table.name, "is empty or repeated", line, "name")
        studies[study] = line
        eids.append(to_text(row[table.columns.index("eid")]) if "eid" in table.columns else "")
        if len(studies) * len(columns) > MOST_CELLS:
            raise invalid(table.name, f"holds more than {MOST_CELLS:,} values", line)
        for kind in kinds:
            for place in (getattr(c, kind) for c in columns):
                cell = row[place] if place >= 0 else None
                values[kind].append(table.number(cell, line, table.columns[place], kind == "sd"))
    if not studies:
        raise invalid(table.name, "has no rows")
    shape = (len(studies), len(columns))
    arrays = {kind: np.array(values[kind]).reshape(shape) for kind in kinds}
    crossed = np.argwhere(arrays["lower"] > arrays["upper"])
    if len(crossed):
        line = list(studies.values())[crossed[0, 0]]
        raise invalid(table.name, "the lower bound lies above the upper", line)
    return Predictions(
        names=tuple(c.name for c in columns),
        units=tuple(c.unit for c in columns),
        studies=tuple(studies),
        reference=np.full(shape, np.nan),
        mean=arrays["mean"],
        sd=arrays["sd"],
        lower=arrays["lower"] if level else None,
        upper=arrays["upper"] if level else None,
        level=level,
        groups={"eid": tuple(eids)} if any(eids) else {},
    )


def _measurements(table: Table) -> tuple[list[_Columns], Optional[float]]:
    at = {column: i for i, column in enumerate(table.columns)}
    found: list[_Columns] = []
    levels: set[str] = set()
    for column, place in at.items():
        if match := _MEAN.fullmatch(column):
            name, unit = match["name"], match["unit"] or ""
            sd = at.get(f"{name}_sd{column[len(name) + len('_mean') :]}", -1)
            bounds = {
                b[1]: b for c in at if c.startswith(name) and (b := _BOUND.fullmatch(c, len(name)))
            }
            if len(bounds) == 2:
                levels |= {b[2] for b in bounds.values()}
                places = {kind: at[b.string] for kind, b in bounds.items()}
                found.append(_Columns(name, unit, place, sd, **places))
            else:
                found.append(_Columns(name, unit, place, sd))
        elif match := _SCORE.fullmatch(column):
            found.append(_Columns(match["name"], "", place))
    if not found:
        raise invalid(table.name, "has no column '<target>_mean_in_<unit>'", 1)
    if len(levels) > 1:
        raise invalid(table.name, "has intervals of several levels", 1)
    return found, level_of(levels.pop()) if levels else None
