"""Tables that say what is known of studies: a row a study and target.

CSV (UTF-8) or Parquet, with the columns ``study``, ``target`` and ``value``; more columns are let
be. A study is called by its name, by UK Biobank's participant and visit (``1234567_2``), or by the
participant alone. What is not known is left out, or its value is empty.

What the targets are may stand in a second table: ``name``, ``unit``, ``ukb_field``, ``divisor``,
``kind``, ``non_negative``, all but the name as wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.table_reader import Table, open_table, to_number, to_text
from mimir_engine.inference_module.published_targets import catalogue
from mimir_engine.training.dataset import StudyId, TargetDefinition

INVALID = "TARGETS_INVALID"
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DEFINITION = ("name", "unit", "ukb_field", "divisor", "kind", "non_negative")


@dataclass(frozen=True, eq=False)
class TargetTable:
    """What tables say of the studies at hand.

    Attributes:
        names: The targets, sorted.
        values: float64 ``(studies, targets)``, NaN where nothing is known.
        unknown: What the tables name though no study at hand is called so, sorted.
    """

    names: tuple[str, ...]
    values: np.ndarray
    unknown: tuple[str, ...]


def read_targets(paths: Iterable[Path], studies: Sequence[StudyId]) -> TargetTable:
    """Put what tables say in the studies' order.

    Raises:
        MimirError: ``TARGETS_INVALID`` for a table that isn't as it should be, two values of one
            study, or a participant of several visits where the table does not say which.
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
                    raise table.error(f"'{study}' has several visits: name one of them", line)
                if not rows:
                    unknown.add(study)
                elif labels.setdefault(rows[0], value) != value:
                    raise table.error(f"'{study}' has two different values of {target}", line)
    values = np.full((len(studies), len(known)), np.nan)
    for column, name in enumerate(sorted(known)):
        values[list(known[name].keys()), column] = list(known[name].values())
    return TargetTable(tuple(sorted(known)), values, tuple(sorted(unknown)))


def rows_by_key(studies: Sequence[StudyId]) -> dict[str, tuple[int, ...]]:
    """Rows of all that a study may be called by: its name before participant and visit."""
    rows: dict[str, tuple[int, ...]] = {}
    for row, study in enumerate(studies):
        if study.eid:
            for key in {study.eid, f"{study.eid}_{study.instance}"}:
                rows[key] = (*rows.get(key, ()), row)
    rows.update((study.name, (row,)) for row, study in enumerate(studies))
    return rows


def read_definitions(path: Optional[Path], table: TargetTable) -> tuple[TargetDefinition, ...]:
    """What each target of the table is; what the second table doesn't say is as published.

    Raises:
        MimirError: ``TARGETS_INVALID``, also where values contradict it.
    """
    said = _definitions(path) if path else {}
    absent = sorted(said.keys() - set(table.names))
    if absent:
        raise _invalid(f"no table has a value of {', '.join(absent)}")
    return tuple(
        _definition(name, said.get(name, {}), table.values[:, column])
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
        at_name = table.index("name")
        columns = [column for column in table.columns if column in _DEFINITION]
        return {
            to_text(row[at_name]).strip(): {
                column: to_text(row[table.index(column)]).strip() for column in columns
            }
            for _, row in table.rows
        }


def _definition(name: str, said: Mapping[str, str], values: np.ndarray) -> TargetDefinition:
    published = catalogue().get(name)
    negative = bool((values < 0).any())
    definition = TargetDefinition(
        name=name,
        unit=said.get("unit") or (published.unit if published else ""),
        ukb_field=said.get("ukb_field") or (published.ukb_field if published else ""),
        divisor=_divisor(name, said.get("divisor") or 1.0),
        kind=said.get("kind") or ("class" if name == "sex" else "quantity"),
        non_negative=_TRUTHS.get(said.get("non_negative", "").lower(), not negative),
    )
    if definition.kind not in ("class", "quantity"):
        raise _invalid(f"{name} is of the kind '{definition.kind}', not class or quantity")
    if definition.kind == "class" and not np.isin(values[np.isfinite(values)], (0, 1)).all():
        raise _invalid(f"{name} is a class, but not all of its values are 0 or 1")
    if definition.non_negative and negative:
        raise _invalid(f"{name} is said not to be negative, but some of its values are")
    return definition


def _divisor(name: str, said: Any) -> float:
    try:
        value = to_number(said)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise _invalid(f"the divisor of {name} is '{said}', not a positive number")
    return value


def _invalid(what: str) -> MimirError:
    return MimirError(INVALID, what, "Correct the table; docs/training.md describes it.")
