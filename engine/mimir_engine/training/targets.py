"""Read tables of targets: one row per study and target.

CSV (UTF-8) or Parquet, with the columns ``study``, ``target`` and ``value``; other columns are
ignored. A study is identified by its name, by UK Biobank's participant and visit (``1234567_2``),
or by the participant alone. Unknown values are left out or empty.

A second table may define the targets: ``name``, ``unit``, ``ukb_field``, ``divisor``, ``kind``,
``non_negative``, all but the name optional.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.image_folder import StudyId, TargetDefinition
from mimir_engine.errors import MimirError
from mimir_engine.files.table_reader import Table, open_table, to_number, to_text
from mimir_engine.inference_module.published_targets import catalogue

INVALID = "TARGETS_INVALID"
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DEFINITION = ("name", "unit", "ukb_field", "divisor", "kind", "non_negative")


@dataclass(frozen=True, eq=False)
class TargetTable:
    """Targets of some studies.

    Attributes:
        names: The targets, sorted.
        values: float64 ``(studies, targets)``, NaN = unknown.
        unknown: Names in the tables that belong to none of the studies, sorted.
    """

    names: tuple[str, ...]
    values: np.ndarray
    unknown: tuple[str, ...]


def read_targets(paths: Iterable[Path], studies: Sequence[StudyId]) -> TargetTable:
    """Read the targets of studies, in the studies' order.

    Raises:
        MimirError: ``TARGETS_INVALID`` for an invalid table, two values of one study, or a
            participant with several visits and no visit in the table.
    """
    rows_of = rows_by_key(studies)
    known: dict[str, dict[int, float]] = {}
    unknown: set[str] = set()
    for path in paths:
        with open_table(path, INVALID) as table:
            for line, study, target, value in _values(table):
                labels = known.setdefault(target, {})
                rows = rows_of.get(study, ())
                if len(rows) > 1:
                    raise table.error(f"'{study}' has several visits: add the visit", line)
                if not rows:
                    unknown.add(study)
                elif labels.setdefault(rows[0], value) != value:
                    raise table.error(f"'{study}' has two different values of {target}", line)
    values = np.full((len(studies), len(known)), np.nan)
    for column, name in enumerate(sorted(known)):
        values[list(known[name].keys()), column] = list(known[name].values())
    return TargetTable(tuple(sorted(known)), values, tuple(sorted(unknown)))


def rows_by_key(studies: Sequence[StudyId]) -> dict[str, tuple[int, ...]]:
    """Index the studies by participant, by participant and visit, and by name; names win."""
    rows: dict[str, tuple[int, ...]] = {}
    for row, study in enumerate(studies):
        if study.eid:
            for key in {study.eid, f"{study.eid}_{study.instance}"}:
                rows[key] = (*rows.get(key, ()), row)
    rows.update((study.name, (row,)) for row, study in enumerate(studies))
    return rows


def read_definitions(path: Optional[Path], table: TargetTable) -> tuple[TargetDefinition, ...]:
    """Define each target of the table; gaps in the definitions are filled as published.

    Raises:
        MimirError: ``TARGETS_INVALID``, also if values contradict the definition.
    """
    given = _definitions(path) if path else {}
    if absent := sorted(given.keys() - set(table.names)):
        raise _invalid(f"no table has a value of {', '.join(absent)}")
    return tuple(
        _definition(name, given.get(name, {}), table.values[:, column])
        for column, name in enumerate(table.names)
    )


def _values(table: Table) -> Iterator[tuple[int, str, str, float]]:
    """Yield line, study, target and value of all known values in a table."""
    at_study, at_target, at_value = map(table.index, ("study", "target", "value"))
    for line, row in table.rows:
        value = table.number(row[at_value], line, "value")
        if not math.isnan(value):
            yield line, to_text(row[at_study]).strip(), to_text(row[at_target]).strip(), value


def _definitions(path: Path) -> dict[str, dict[str, str]]:
    with open_table(path, INVALID) as table:
        table.index("name")
        places = [(name, table.index(name)) for name in table.columns if name in _DEFINITION]
        rows = [{name: to_text(row[at]).strip() for name, at in places} for _, row in table.rows]
    return {row["name"]: row for row in rows}


def _definition(name: str, given: Mapping[str, str], values: np.ndarray) -> TargetDefinition:
    published = catalogue().get(name)
    negative = bool((values < 0).any())
    definition = TargetDefinition(
        name=name,
        unit=given.get("unit") or (published.unit if published else ""),
        ukb_field=given.get("ukb_field") or (published.ukb_field if published else ""),
        divisor=_divisor(name, given.get("divisor") or "1"),
        kind=given.get("kind") or ("class" if name == "sex" else "quantity"),
        non_negative=_TRUTHS.get(given.get("non_negative", "").lower(), not negative),
    )
    if definition.kind not in ("class", "quantity"):
        raise _invalid(f"the kind of {name} must be class or quantity, not '{definition.kind}'")
    if definition.kind == "class" and not np.isin(values[np.isfinite(values)], (0, 1)).all():
        raise _invalid(f"{name} is a class, but not all its values are 0 or 1")
    if definition.non_negative and negative:
        raise _invalid(f"{name} is defined as non-negative, but some values are negative")
    return definition


def _divisor(name: str, text: str) -> float:
    with suppress(ValueError):
        if (value := to_number(text)) > 0:
            return value
    raise _invalid(f"the divisor of {name} must be a positive number, not '{text}'")


def _invalid(what: str) -> MimirError:
    return MimirError(INVALID, what, "Correct the table; docs/training.md describes it.")
