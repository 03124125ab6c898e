"""Find targets that a network has not learned: their estimates are no better than the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mimir_engine.evaluation.bootstrap import percentile_intervals, resample_counts
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.inference_module import Target
from mimir_engine.training.accuracy import cross_calibrate

RESAMPLES = 500
#: Level of the bootstrap interval, whose lower bound must be above 0.
LEVEL = 0.95


def worthless_targets(
    predictions: Predictions, targets: Sequence[Target]
) -> dict[str, dict[str, float]]:
    """Return R² and its lower bound of each target that may be no better than the mean.

    R² is that of the model card, of studies that neither training nor calibration has seen; the
    bootstrap draws persons.

    Args:
        predictions: Raw predictions with references.
        targets: In the same order.
    """
    calibrated = cross_calibrate(predictions, targets)
    known = np.isfinite(calibrated.reference) & np.isfinite(calibrated.mean)
    label = np.where(known, calibrated.reference, 0.0)
    centred = np.where(known, label - label.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
    error = np.where(known, label - calibrated.mean, 0.0)
    sums = np.concatenate([known, centred, centred**2, error**2], axis=1).astype(np.float64)
    drawn = resample_counts(calibrated.persons, RESAMPLES, seed=0)
    samples = np.stack([_r2(row @ sums) for row in drawn.astype(np.float64)])
    lower, _ = percentile_intervals(samples, LEVEL)
    r2 = _r2(sums.sum(axis=0))
    return {
        target.name: {"r2": float(f"{r2[at]:.3g}"), "r2_lower95": float(f"{lower[at]:.3g}")}
        for at, target in enumerate(targets)
        if not lower[at] > 0
    }


def worthless_sentence(found: Mapping[str, Mapping[str, float]], what: str) -> str:
    """Name the targets with their R².

    Args:
        found: Those of `worthless_targets`.
        what: What happens with them.
    """
    shown = ", ".join(
        f"{n} (R² {v['r2']:g}, at least {v['r2_lower95']:g})" for n, v in found.items()
    )
    return f"{what}, since the estimates may be no better than the mean: {shown}"


def _r2(sums: np.ndarray) -> np.ndarray:
    """Compute R² of each target from the sums of count, label, squared label and squared error."""
    count, label, square, error = sums.reshape(4, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = square - label**2 / count
        return np.asarray(np.where(spread > 0, 1.0 - error / spread, np.nan))
