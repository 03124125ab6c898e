"""Join predictions and references from two files by study and target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, tidy_predictions
from mimir_engine.evaluation.result_table import tidy
from mimir_engine.files.table_reader import TidyTable, open_table, read_tidy
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL


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
