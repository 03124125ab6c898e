"""Find which direct measurement goes with each target, for the check of later estimates."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.table_reader import open_table, to_text
from mimir_engine.inference_module.direct_reference import DirectReference

#: Studies with target and direct measurement that a line is fitted to.
MIN_STUDIES = 50
#: A target whose variance the best direct measurement explains less is not checked.
MIN_R2 = 0.8


def fit_direct_references(predictions: Predictions, path: Path) -> dict[str, DirectReference]:
    """Fit each target's reference values to the direct measurement that explains them best.

    Args:
        predictions: Studies with reference values.
        path: ``measurements.csv`` of ``mimir measure``, or ``predictions.csv`` of ``mimir infer``.

    Returns:
        By target; without targets that no direct measurement explains.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``; ``CALIBRATION_MISMATCH`` if the table has none of the
            studies.
    """
    direct = _read(path, predictions.studies)
    if np.isnan(direct).all():
        raise MimirError(
            "CALIBRATION_MISMATCH",
            f"'{path.name}' has no direct measurement of a study of the calibration",
            "Measure the studies of the calibration with 'mimir measure'; names must be the same.",
        )
    found = {}
    for place, name in enumerate(predictions.names):
        lines = [
            _line(quantity, direct[:, column], predictions.reference[:, place])
            for column, quantity in enumerate(QUANTITIES)
        ]
        best = min((line for line in lines if line), key=lambda line: line.sd, default=None)
        if best is not None:
            found[name] = best
    return found


def _read(path: Path, studies: tuple[str, ...]) -> np.ndarray:
    """Read ``(studies, quantities)``, NaN for gaps."""
    rows = {study: row for row, study in enumerate(studies)}
    values = np.full((len(studies), len(QUANTITIES)), np.nan)
    with open_table(path) as table:
        name = table.index("name")
        columns = [(direct_column(q), table.index(direct_column(q))) for q in QUANTITIES]
        for line, row in table.rows:
            study = rows.get(to_text(row[name]))
            if study is not None:
                values[study] = [table.number(row[at], line, column) for column, at in columns]
    return values


def _line(quantity: str, direct: np.ndarray, target: np.ndarray) -> Optional[DirectReference]:
    """Fit a line; None with too few studies or too loose a relation."""
    known = np.isfinite(direct) & np.isfinite(target)
    x, y = direct[known], target[known]
    if len(x) < MIN_STUDIES or not (x.std() > 0 and y.std() > 0):
        return None
    slope = float(np.cov(x, y)[0, 1] / x.var(ddof=1))
    intercept = float(y.mean() - slope * x.mean())
    sd = math.sqrt(float(((y - intercept - slope * x) ** 2).sum()) / (len(x) - 2))
    if 1 - (sd / y.std()) ** 2 < MIN_R2:
        return None
    low, high = float(x.min()), float(x.max())
    return DirectReference(quantity, intercept, slope, sd, low, high, len(x))
