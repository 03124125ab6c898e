"""Calibrate predicted means and variances on data that the network has not seen.

With the label y, the predicted mean m and variance v of one target, both standardised as in
training, three things are taken from held-out or out-of-fold predictions, all in closed form:

1. The mean correction a m + b: least squares of y on m, weighted by 1/v.
2. The variance factor k = mean((y - a m - b)² / v), which with these a and b is the maximum of the
   Gaussian likelihood (Laves et al., "Well-calibrated regression uncertainty in medical imaging
   with deep learning", MIDL 2020).
3. Conformal bounds of the calibrated errors, see `conformal`. They share their studies with a, b
   and k. That costs the exact guarantee, but with hundreds of studies for three numbers the
   effect is far smaller than the bounds' own scatter.
4. The range of the labels, beyond which a value is flagged. It stays if a module is calibrated
   again, since it tells what the network knows.

Persons count, not scans: each study of a person with k studies weighs 1 / k.

A class (sex) keeps its score and has no interval; only its variance is scaled.

For an ensemble, out-of-fold predictions are those of single networks. The ensemble's mean errs
less, and its variance adds their spread, so its intervals should cover at least their level; only
studies that none of its networks has seen can show by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.rounding import ROUNDING, is_rounding, squares_around_mean
from mimir_engine.inference_module import Target
from mimir_engine.inference_module.interval import interval_bounds
from mimir_engine.inference_module.statistics import SEXES, recorded_sex, sex_of_text
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.training.conformal import MIN_PERSONS, fit_intervals, person_weights
from mimir_engine.training.standardisation import Standardisation

MIN_FOR_VARIANCE = 2
#: With fewer studies, the two numbers of a mean correction add more noise than they remove.
MIN_FOR_MEAN = 30
#: Share of the labels beyond each end of the range of labels: the label of one person in 1,000.
BEYOND_RANGE = 0.001


def fit_calibration(predictions: Predictions, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Calibrate each target on raw predictions of studies that training has not seen.

    Args:
        predictions: Raw means and SDs in the targets' units, with references; with the group "sex"
            or a target sex for intervals by sex, and the group "person" if persons have several
            studies.
        targets: In the same order; a calibration that they have is replaced.

    Raises:
        MimirError: ``CALIBRATION_MISMATCH`` if names or units differ, ``CALIBRATION_TOO_SMALL``.
    """
    _check_targets(predictions, targets)
    scale = _scale(targets)
    labels, means = scale.apply(predictions.reference), scale.apply(predictions.mean)
    variances = (predictions.sd / scale.sd) ** 2
    fitted = []
    for index, target in enumerate(targets):
        y, m, v = labels[:, index], means[:, index], variances[:, index]
        known = np.isfinite(y) & np.isfinite(m) & (v > 0) & np.isfinite(v)
        weights = person_weights(np.asarray(predictions.persons)[known].tolist())
        fitted.append(_fit(target, y[known], m[known], v[known], weights))
    applied = apply_calibration(predictions, fitted)
    return tuple(
        target if target.kind == "class" else _with_intervals(target, applied, index)
        for index, target in enumerate(fitted)
    )


def without_calibration(target: Target) -> Target:
    """Return the target with predictions left as the network gives them."""
    raw = replace(target, variance_factor=1.0, mean_slope=1.0, mean_offset=0.0, intervals=None)
    return replace(raw, conformal_quantiles={}, conformal_quantiles_by_sex={})


def apply_calibration(
    predictions: Predictions, targets: Sequence[Target], level: float = DEFAULT_LEVEL
) -> Predictions:
    """Correct the means of raw predictions, scale their variances and add intervals of a level.

    The intervals are those of the recorded sex if a target has them by sex; a class has none, and
    a target that was calibrated on too few persons neither.
    """
    _check_targets(predictions, targets)
    scale, (slopes, offsets, factors) = _scale(targets), _constants(targets)
    mean = (scale.apply(predictions.mean) * slopes + offsets) * scale.sd + scale.mean
    sd = predictions.sd * np.sqrt(factors)
    lower, upper = bounds_by_sex(targets, mean, sd, recorded_sexes(predictions), level)
    return replace(predictions, mean=mean, sd=sd, lower=lower, upper=upper, level=level)


def remove_calibration(predictions: Predictions, targets: Sequence[Target]) -> Predictions:
    """Compute raw predictions from those of a module whose targets are calibrated already."""
    _check_targets(predictions, targets)
    scale, (slopes, offsets, factors) = _scale(targets), _constants(targets)
    standardised = (scale.apply(predictions.mean) - offsets) / slopes
    return replace(
        predictions,
        mean=standardised * scale.sd + scale.mean,
        sd=predictions.sd / np.sqrt(factors),
        lower=None,
        upper=None,
        level=None,
    )


def bounds_by_sex(
    targets: Sequence[Target], mean: np.ndarray, sd: np.ndarray, sexes: Sequence[str], level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Compute intervals of calibrated estimates, as `measure` does.

    Args:
        targets: Calibrated targets.
        mean: Estimates in the targets' units, float64 ``(studies, targets)``.
        sd: Their standard deviations.
        sexes: "female", "male" or "" of each study.
        level: Level of the intervals.

    Returns:
        Lower and upper bounds, in the same shape; NaN for a class and without an interval.
    """
    lower, upper = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    of = np.asarray(sexes)
    for column, target in enumerate(targets):
        for sex in ("", *SEXES) if target.kind != "class" else ():
            rows = of == sex
            lower[rows, column], upper[rows, column] = interval_bounds(
                target.used_intervals, mean[rows, column], sd[rows, column], level, sex or None
            )
    return lower, upper


def recorded_sexes(predictions: Predictions) -> tuple[str, ...]:
    """Return "female", "male" or "" of each study: the group "sex", else a target sex's labels.

    The recorded sex, not the estimated one: quantiles are to hold for women and for men.
    """
    if "sex" in predictions.groups:
        return tuple(map(sex_of_text, predictions.groups["sex"]))
    if "sex" in predictions.names:
        labels = predictions.reference[:, predictions.names.index("sex")]
        return tuple(map(recorded_sex, labels))
    return ("",) * len(predictions.studies)


def select_studies(predictions: Predictions, rows: np.ndarray) -> Predictions:
    """Select studies by a boolean mask; intervals are dropped."""
    chosen = np.flatnonzero(rows)
    return replace(
        predictions,
        studies=tuple(predictions.studies[row] for row in chosen),
        reference=predictions.reference[chosen],
        mean=predictions.mean[chosen],
        sd=predictions.sd[chosen],
        lower=None,
        upper=None,
        level=None,
        groups={
            name: tuple(values[row] for row in chosen)
            for name, values in predictions.groups.items()
        },
    )


def _check_targets(predictions: Predictions, targets: Sequence[Target]) -> None:
    """Require the same targets in the same order and units."""
    names_and_units = zip(predictions.names, predictions.units)
    given = [f"{name} in {unit}" if unit else name for name, unit in names_and_units]
    expected = [f"{t.name} in {t.unit}" if t.unit else t.name for t in targets]
    for found, needed in zip_longest(given, expected, fillvalue="no more targets"):
        if found != needed:
            raise MimirError(
                "CALIBRATION_MISMATCH",
                "the calibration predictions belong to another network: they have"
                f" {found} instead of {needed}",
                "Give predictions of the same targets, in the same order and units.",
            )


def _scale(targets: Sequence[Target]) -> Standardisation:
    """Mean and SD of the training data in the units of the targets."""
    return Standardisation(
        mean=np.array([target.mean / target.divisor for target in targets]),
        sd=np.array([target.sd / target.divisor for target in targets]),
    )


def _constants(targets: Sequence[Target]) -> np.ndarray:
    """Slope, offset and variance factor of the targets, float64 ``(3, targets)``."""
    return np.array([(t.mean_slope, t.mean_offset, t.variance_factor) for t in targets]).T


def _fit(
    target: Target, y: np.ndarray, m: np.ndarray, v: np.ndarray, weights: np.ndarray
) -> Target:
    """Fit mean correction and variance factor to standardised labels, means and variances."""
    is_class = target.kind == "class"
    slope, offset = (1.0, 0.0) if is_class else mean_correction(y, m, v / weights)
    error = y - slope * m - offset
    if len(y) < MIN_FOR_VARIANCE or is_rounding(error, y):
        raise MimirError(
            "CALIBRATION_TOO_SMALL",
            f"{target.name} has {len(y)} usable labelled predictions",
            "Give predictions of more studies, several hundred if possible.",
        )
    factor = float(np.average(error**2 / v, weights=weights))
    raw = without_calibration(target)
    return replace(raw, variance_factor=factor, mean_slope=slope, mean_offset=offset)


def _with_intervals(target: Target, applied: Predictions, column: int) -> Target:
    """Fit a target's intervals and the range of its labels to predictions that it calibrated."""
    label, mean, sd = (a[:, column] for a in (applied.reference, applied.mean, applied.sd))
    known = np.isfinite(label) & np.isfinite(mean) & np.isfinite(sd)
    label, mean, sd = label[known], mean[known], sd[known]
    weights = person_weights(np.asarray(applied.persons)[known].tolist())
    sexes = np.asarray(recorded_sexes(applied))[known]
    intervals = fit_intervals(label, mean, sd, weights, sexes, target.non_negative)
    if target.label_range is not None or intervals.persons < MIN_PERSONS:
        return replace(target, intervals=intervals)
    low, high = np.quantile(label, (BEYOND_RANGE, 1 - BEYOND_RANGE)).tolist()
    return replace(target, intervals=intervals, label_range=(low, high))


def mean_correction(
    labels: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[float, float]:
    """Fit slope and offset of the labels' weighted least-squares line over the means.

    They stay 1 and 0 with fewer than `MIN_FOR_MEAN` studies; the slope alone stays 1 if the line
    does not rise, as for a target that the network could not learn.
    """
    if len(labels) < MIN_FOR_MEAN:
        return 1.0, 0.0
    weights = 1.0 / variances / (1.0 / variances).sum()
    label, mean = float(weights @ labels), float(weights @ means)
    size = np.abs(means).max()
    spread = float(squares_around_mean(1.0, 0.0, weights @ (means - mean) ** 2, size))
    covariance = float(weights @ ((means - mean) * (labels - label)))
    # The slope of rounding errors could be anything. Without spread, both sides here are NaN.
    rises = covariance > ROUNDING * np.sqrt(spread) * np.abs(labels).max()
    slope = covariance / spread if rises else 1.0
    return slope, label - slope * mean
