"""The table ``labels.csv``: what was measured of each label, one row per study and label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mimir_engine.cohort.tables.column import id_number
from mimir_engine.cohort.tables.label_columns import TABLE_CELLS
from mimir_engine.measuring.study_result import StudyResult

COLUMNS = ("name", "eid", "instance", *TABLE_CELLS)


def label_rows(result: StudyResult) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a study's labels."""
    study = result.name, id_number(result.eid), id_number(result.instance)
    for label in result.labels:
        yield (*study, *(cell(label) for cell in TABLE_CELLS.values()))


def names_of_labels(results: Iterable[StudyResult]) -> list[str]:
    """Return the names of all labels that a study has, in the order of their numbers."""
    numbers: dict[str, int] = {}
    for result in results:
        for label in result.labels:
            numbers.setdefault(label.name, label.label)
    return sorted(numbers, key=lambda name: (numbers[name], name))
