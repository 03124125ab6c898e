"""How good a module's calibrated predictions are, in few numbers, for provenance and model card.

Each fold's predictions are calibrated on the other folds alone, so that no interval is judged by
the studies it was fitted on. `mimir evaluate` says far more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.inference_module import Target
from mimir_engine.training.calibration import cross_calibrated

LEVELS = (0.5, 0.8, 0.95)
"""Levels whose coverage is told."""


def accuracy(predictions: Predictions, targets: Sequence[Target]) -> dict[str, dict[str, float]]:
    """Figures of each target by name; a figure that can't be had is left out.

    studies: those with a label. icc, r2, mae, bias: see `agreement`. mean_width95: of the
    intervals, in the unit. coverage50, coverage80, coverage95: the share of labels inside them.
    """
    by_level = {level: cross_calibrated(predictions, targets, level) for level in LEVELS}
    rows = {}
    for index, target in enumerate(targets):
        columns = {level: _column(applied, index) for level, applied in by_level.items()}
        label, mean, lower, upper = columns[0.95]
        figures = {"studies": float(len(label)), "mean_width95": float((upper - lower).mean())}
        agreed = agreement(label, mean)
        figures.update({name: float(agreed[name]) for name in ("icc", "r2", "mae", "bias")})
        for level, (y, _, low, high) in columns.items():
            inside = (low <= y) & (y <= high)
            has_interval = np.isfinite(low).all()
            figures[f"coverage{100 * level:g}"] = float(inside.mean()) if has_interval else np.nan
        rows[target.name] = {
            name: float(f"{figure:.4g}") for name, figure in figures.items() if np.isfinite(figure)
        }
    return rows


def _column(
    predictions: Predictions, index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Label, mean and bounds of one target where label and mean are known."""
    label, mean = predictions.reference[:, index], predictions.mean[:, index]
    known = np.isfinite(label) & np.isfinite(mean)
    assert predictions.lower is not None
    assert predictions.upper is not None
    lower, upper = predictions.lower[:, index], predictions.upper[:, index]
    return label[known], mean[known], lower[known], upper[known]
