"""Accuracy of calibrated predictions, for a module's provenance and model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.evaluate import SORTED_BY
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.uncertainty import coverage_by_size, interval_scores
from mimir_engine.inference_module import Target
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.training.calibration import apply_calibration, fit_calibration, select_studies
from mimir_engine.training.folds import assign_folds

#: Level of the intervals whose width is reported, as ``mean_width95``.
REPORTED_LEVEL = 0.95
#: Levels whose coverage is reported.
LEVELS = (0.5, 0.8, REPORTED_LEVEL)
#: Parts that persons are split into if the group "fold" does not hold them together.
PARTS = 5


def measure_accuracy(
    predictions: Predictions, targets: Sequence[Target]
) -> dict[str, dict[str, float]]:
    """Compute figures of each target by name, to four digits; undefined ones are left out.

    studies: those with a label. icc, r2, mae, bias: see `agreement`. mean_width95: of the
    intervals, in the unit. coverage50, coverage80, coverage95: the share of labels inside them.
    coverage95_low_third_by_estimate and so on: in each of `PARTS_BY_SIZE`. Without intervals, those
    figures are left out.
    """
    by_level = {}
    for level in LEVELS:
        p = cross_calibrate(predictions, targets, level)
        by_level[level] = np.array([p.reference, p.mean, p.lower, p.upper])
    known = np.isfinite(by_level[REPORTED_LEVEL][:2]).all(axis=0)
    figures = {}
    for index, target in enumerate(targets):
        rows = known[:, index]
        found = _figures({level: parts[:, rows, index] for level, parts in by_level.items()})
        figures[target.name] = {
            name: float(f"{figure:.4g}") for name, figure in found.items() if np.isfinite(figure)
        }
    return figures


def cross_calibrate(
    predictions: Predictions, targets: Sequence[Target], level: float = DEFAULT_LEVEL
) -> Predictions:
    """Calibrate each fold's raw predictions on the other folds alone.

    The folds are those of the group "fold" if each person's studies are in one of them, else
    `PARTS` of about equal size.
    """
    folds = folds_of(predictions)
    mean, sd, lower, upper = (np.full(predictions.mean.shape, np.nan) for _ in range(4))
    for fold in np.unique(folds):
        here = folds == fold
        calibrated = fit_calibration(select_studies(predictions, ~here), targets)
        applied = apply_calibration(select_studies(predictions, here), calibrated, level)
        mean[here], sd[here] = applied.mean, applied.sd
        lower[here], upper[here] = applied.lower, applied.upper
    return replace(predictions, mean=mean, sd=sd, lower=lower, upper=upper, level=level)


def folds_of(predictions: Predictions) -> np.ndarray:
    """Return the fold of each study; all studies of a person are in the same."""
    persons, given = predictions.persons, predictions.groups.get("fold", ())
    if given and len(set(zip(persons, given))) == len(set(persons)):
        return np.array(given)
    return assign_folds(persons, min(PARTS, len(set(persons))), {})


def _figures(by_level: dict[float, np.ndarray]) -> dict[str, float]:
    label, mean, lower, upper = by_level[REPORTED_LEVEL]
    agreed = agreement(label, mean)
    found = {
        "studies": len(label),
        **{name: float(agreed[name]) for name in ("icc", "r2", "mae", "bias")},
    }
    if not np.isfinite(lower).all():
        return found
    intervals = {
        level: interval_scores(y, low, high) for level, (y, _, low, high) in by_level.items()
    }
    inside = (lower <= label) & (label <= upper)
    return {
        **found,
        "mean_width95": float(intervals[REPORTED_LEVEL]["width"]),
        **{f"coverage{100 * level:g}": float(s["picp"]) for level, s in intervals.items()},
        **{
            part_name(part, by): float(share)
            for by, size in zip(SORTED_BY, (mean, label))
            for part, share in coverage_by_size(inside, size).items()
        },
    }


def part_name(part: str, sorted_by: str) -> str:
    """Return the name of the coverage of one of `PARTS_BY_SIZE`."""
    return f"coverage{100 * REPORTED_LEVEL:g}_{part}_by_{sorted_by}"
