"""Compare results of the same studies with each other: network, direct measurement, label.

Two measurements become a prediction and a reference, so that all metrics, tables and figures are
those of an evaluation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.output_files import LABELS_FILE
from mimir_engine.evaluation.compared_pairs import VERSUS, Side, choose_pairs, definitions
from mimir_engine.evaluation.predictions import Predictions, tidy_predictions
from mimir_engine.evaluation.result_table import (
    both_tables,
    estimates,
    labels_of,
    measured_values,
    tidy_labels,
    tidy_table,
)
from mimir_engine.files.table_reader import open_table

#: Tables of an output folder with one row per study; the first that there is.
STUDY_TABLES = ("predictions.csv", "measurements.csv")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Pairs of measurements.

    Attributes:
        predictions: The first of each pair as prediction, the second as reference.
        notes: How both define the quantity, as sentences.
    """

    predictions: Predictions
    notes: tuple[str, ...]


def read_comparison(source: Path, asked: Sequence[Sequence[str]]) -> Comparison:
    """Read pairs of measurements from the results of `mimir infer` or `mimir measure`.

    Args:
        source: The output folder, or its table with one row per study and long names of columns.
        asked: As of `choose_pairs`.

    Raises:
        MimirError: ``COMPARISON_INVALID`` for an unknown name, different units, or nothing to
            compare; ``PREDICTIONS_INVALID``.
    """
    table, labels = _tables(source)
    units = _units(table, labels)
    pairs = choose_pairs(asked, units)
    wanted = {part for pair in pairs for side in pair for part in side.parts}
    read = _read(table, labels, wanted)
    return Comparison(_paired(read, pairs, units), definitions(pairs, units))


def _tables(source: Path) -> tuple[Path, Optional[Path]]:
    """Return the table of studies, and that of labels if there is one."""
    if not source.is_dir():
        return source, None
    known = (source / name for name in STUDY_TABLES)
    table = next((path for path in known if path.is_file()), source / STUDY_TABLES[0])
    labels = source / LABELS_FILE
    return table, labels if labels.is_file() else None


def _units(table: Path, labels: Optional[Path]) -> dict[str, str]:
    """Return the unit of each measurement in the tables, by name."""
    with open_table(table) as opened:
        units = {m.name: m.unit for m in (*estimates(opened)[0], *measured_values(opened))}
    if labels is not None:
        with open_table(labels) as opened:
            units = {**units, **labels_of(opened)}
    return units


def _read(table: Path, labels: Optional[Path], wanted: Collection[str]) -> Predictions:
    with ExitStack() as files:
        opened = files.enter_context(open_table(table))
        found, percent = estimates(opened)
        columns = [m for m in (*found, *measured_values(opened)) if m.name in wanted]
        tidied = tidy_table(opened, columns, percent)
        if labels is not None:
            others = {*wanted} - {m.name for m in columns}
            of_labels = files.enter_context(open_table(labels))
            tidied = both_tables(tidied, tidy_labels(of_labels, others))
        return tidy_predictions(tidied)


def _paired(
    read: Predictions, pairs: Sequence[tuple[Side, Side]], units: Mapping[str, str]
) -> Predictions:
    """Return the first of each pair as prediction, the second as reference."""
    at = {name: column for column, name in enumerate(read.names)}
    gap = np.full(len(read), np.nan)

    def of_part(values: np.ndarray, part: str) -> np.ndarray:
        return values[:, at[part]] if part in at else gap

    def total(side: Side) -> np.ndarray:
        return np.sum([of_part(read.mean, part) for part in side.parts], axis=0)

    def uncertainty(values: np.ndarray, side: Side) -> np.ndarray:
        """Return what an estimate has; a sum of estimates has none."""
        return gap if len(side.parts) > 1 else of_part(values, side.parts[0])

    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    lower, upper = (
        None if bound is None else np.stack([uncertainty(bound, side) for side in first], axis=1)
        for bound in (read.lower, read.upper)
    )
    return Predictions(
        names=tuple(f"{one.name}{VERSUS}{other.name}" for one, other in pairs),
        units=tuple(units[one.parts[0]] for one in first),
        studies=read.studies,
        reference=np.stack([total(side) for side in second], axis=1),
        mean=np.stack([total(side) for side in first], axis=1),
        sd=np.stack([uncertainty(read.sd, side) for side in first], axis=1),
        lower=lower,
        upper=upper,
        level=read.level,
        groups=read.groups,
        sides=tuple(_sides_in_words(pair) for pair in pairs),
    )


def _sides_in_words(pair: tuple[Side, Side]) -> tuple[str, str]:
    roads = [side.road.capitalize() for side in pair]
    return (roads[0], roads[1]) if roads[0] != roads[1] else ("First", "Second")
