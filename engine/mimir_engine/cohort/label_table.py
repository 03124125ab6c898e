"""The table ``labels.csv``: what was measured of each label, one row per study and label."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mimir_engine.cohort.tables.column import id_number
from mimir_engine.cohort.tables.label_columns import TABLE_CELLS
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.measuring.study_result import StudyResult

COLUMNS = ("name", "eid", "instance", *TABLE_CELLS)


def write_labels(path: Path, results: Iterable[StudyResult]) -> None:
    """Write the table.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    rows = (
        (
            *(result.name, id_number(result.eid), id_number(result.instance)),
            *(cell(label) for cell in TABLE_CELLS.values()),
        )
        for result in results
        for label in result.labels
    )
    write_csv(path, COLUMNS, rows)


def names_of_labels(results: Iterable[StudyResult]) -> list[str]:
    """Return the names of all labels that a study has, in the order of their numbers."""
    numbers: dict[str, int] = {}
    for result in results:
        for label in result.labels:
            numbers.setdefault(label.name, label.label)
    return sorted(numbers, key=lambda name: (numbers[name], name))
