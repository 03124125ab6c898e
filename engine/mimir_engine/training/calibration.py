"""Makes predicted means and variances true on data that the network has not seen.

With the label y, the predicted mean m and variance v of one target, both standardised as in
training, three things are taken from held-out or out-of-fold predictions, all in closed form:

1. The mean correction a m + b: least squares of y on m, weighted by 1/v.
2. The variance factor k = mean((y - a m - b)² / v), which with such a and b is the maximum of the
   Gaussian likelihood (Laves et al., "Well-calibrated regression uncertainty in medical imaging
   with deep learning", MIDL 2020).
3. Conformal quantiles of |y - a m - b| / sqrt(k v), see `conformal`. They share their studies with
   a, b and k. That costs the exact guarantee, but with hundreds of studies for three numbers by far
   less than the quantiles scatter by themselves.

A class (sex) keeps its score and has no interval; only its variance is scaled.

Where an ensemble is shipped, out-of-fold predictions are those of single networks. The ensemble's
mean errs less than theirs, and its variance holds their spread on top, so that its intervals should
hold no less than they say; only studies that none of its networks has seen can show by how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.rounding import ROUNDING, is_rounding, squares_around_mean
from mimir_engine.inference_module import Target
from mimir_engine.inference_module.interval import half_width_in_sd
from mimir_engine.inference_module.statistics import sex_label
from mimir_engine.training.conformal import conformal_quantiles, quantiles_by_sex

LEAST_FOR_VARIANCE = 2
LEAST_FOR_MEAN = 30
"""Below it, the two numbers of a mean correction would carry more noise than they take away."""


@dataclass(frozen=True)
class Calibration:
    """How one target's raw predictions become true ones; see `Target` for the fields' meaning.

    count: labelled studies it was fitted on.
    """

    target: str
    count: int
    variance_factor: float = 1.0
    mean_slope: float = 1.0
    mean_offset: float = 0.0
    conformal_quantiles: Mapping[float, float] = field(default_factory=dict)
    conformal_quantiles_by_sex: Mapping[str, Mapping[float, float]] = field(default_factory=dict)

    def of(self, target: Target) -> Target:
        """The target with this calibration in the place of its own."""
        return replace(
            target,
            variance_factor=self.variance_factor,
            mean_slope=self.mean_slope,
            mean_offset=self.mean_offset,
            conformal_quantiles=self.conformal_quantiles,
            conformal_quantiles_by_sex=self.conformal_quantiles_by_sex,
        )


UNCALIBRATED = Calibration(target="", count=0)
"""Leaves every prediction as the network gives it."""


def fit_calibration(predictions: Predictions, targets: Sequence[Target]) -> tuple[Calibration, ...]:
    """One calibration a target, from raw predictions of studies that training has not seen.

    Args:
        predictions: Raw means and SDs in the targets' units, with references; with the group "sex"
            or a target sex where intervals are wanted by sex.
        targets: In the same order; only name, kind, divisor and standardisation count.

    Raises MimirError CALIBRATION_MISMATCH where names or units differ, CALIBRATION_TOO_SMALL.
    """
    check_targets(predictions, targets)
    scale = _Scale(targets)
    labels, means = scale.standardise(predictions.reference), scale.standardise(predictions.mean)
    variances = (predictions.sd / scale.sd) ** 2
    sexes = recorded_sexes(predictions)
    return tuple(
        _fit(target, labels[:, index], means[:, index], variances[:, index], sexes)
        for index, target in enumerate(targets)
    )


def apply_calibration(
    predictions: Predictions,
    targets: Sequence[Target],
    calibrations: Sequence[Calibration],
    level: float = 0.95,
) -> Predictions:
    """Raw predictions with means corrected, variances scaled, and intervals of this level.

    The intervals are those of the recorded sex where a target has them by sex; a class has none.
    """
    check_targets(predictions, targets)
    scale = _Scale(targets)
    slopes, offsets, factors = (
        np.array([getattr(calibration, name) for calibration in calibrations])
        for name in ("mean_slope", "mean_offset", "variance_factor")
    )
    mean = (scale.standardise(predictions.mean) * slopes + offsets) * scale.sd + scale.mean
    sd = predictions.sd * np.sqrt(factors)
    reach = sd * reach_in_sd(
        [calibration.of(target) for target, calibration in zip(targets, calibrations)],
        recorded_sexes(predictions),
        level,
    )
    return replace(
        predictions, mean=mean, sd=sd, lower=mean - reach, upper=mean + reach, level=level
    )


def reach_in_sd(targets: Sequence[Target], sexes: Sequence[str], level: float) -> np.ndarray:
    """Half widths of intervals in SD, float64 (studies, targets); NaN for a class."""
    columns = []
    for target in targets:
        tables = {"": target.conformal_quantiles, **target.conformal_quantiles_by_sex}
        widths = {sex: half_width_in_sd(table, level) for sex, table in tables.items()}
        plain = np.nan if target.kind == "class" else widths[""]
        columns.append([plain if target.kind == "class" else widths.get(s, plain) for s in sexes])
    return np.array(columns, np.float64).reshape(len(targets), len(sexes)).T


def cross_calibrated(
    predictions: Predictions, targets: Sequence[Target], level: float = 0.95
) -> Predictions:
    """Each fold's predictions, calibrated on the other folds alone: what to report accuracy from.

    The folds are those of the group "fold"; without it, every fifth study makes one.
    """
    folds = np.array(predictions.groups.get("fold") or _every_fifth(len(predictions.studies)))
    mean, sd, lower, upper = (np.full(predictions.mean.shape, np.nan) for _ in range(4))
    for fold in np.unique(folds):
        here = folds == fold
        calibrations = fit_calibration(select(predictions, ~here), targets)
        applied = apply_calibration(select(predictions, here), targets, calibrations, level)
        mean[here], sd[here] = applied.mean, applied.sd
        lower[here], upper[here] = applied.lower, applied.upper
    return replace(predictions, mean=mean, sd=sd, lower=lower, upper=upper, level=level)


def uncalibrated(predictions: Predictions, targets: Sequence[Target]) -> Predictions:
    """Raw predictions from those of a module whose targets carry a calibration already."""
    check_targets(predictions, targets)
    scale = _Scale(targets)
    slopes, offsets, factors = (
        np.array([getattr(target, name) for target in targets])
        for name in ("mean_slope", "mean_offset", "variance_factor")
    )
    standardised = (scale.standardise(predictions.mean) - offsets) / slopes
    return replace(
        predictions,
        mean=standardised * scale.sd + scale.mean,
        sd=predictions.sd / np.sqrt(factors),
        lower=None,
        upper=None,
        level=None,
    )


#: How tables write the sex; UK Biobank's field 31 has 0 for women.
_SEXES = {
    **dict.fromkeys(("female", "f", "0", "0.0"), "female"),
    **dict.fromkeys(("male", "m", "1", "1.0"), "male"),
}


def recorded_sexes(predictions: Predictions) -> tuple[str, ...]:
    """ "female", "male" or "" of each study: of the group "sex", else of a target sex's labels.

    The recorded sex, not the estimated one: quantiles are to hold for women and for men.
    """
    if "sex" in predictions.groups:
        return tuple(_SEXES.get(sex.lower(), "") for sex in predictions.groups["sex"])
    if "sex" in predictions.names:
        labels = predictions.reference[:, predictions.names.index("sex")]
        return tuple(map(sex_label, labels))
    return ("",) * len(predictions.studies)


def select(predictions: Predictions, rows: np.ndarray) -> Predictions:
    """Some of the studies, by a boolean mask; intervals are left out."""
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


def check_targets(predictions: Predictions, targets: Sequence[Target]) -> None:
    """Raises MimirError CALIBRATION_MISMATCH where names, order or units differ."""
    expected = [(target.name, target.unit) for target in targets]
    for given, wanted in zip(zip(predictions.names, predictions.units), expected):
        if given != wanted:
            problem = f"has {given[0]} in {given[1] or 'no unit'}"
            raise _mismatch(f"{problem} where {wanted[0]} in {wanted[1] or 'no unit'} is expected")
    if len(predictions.names) != len(expected):
        raise _mismatch(f"has {len(predictions.names)} targets, not {len(expected)}")


class _Scale:
    """Mean and SD of the training data in the units of the targets: float64 (targets,)."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.mean = np.array([target.mean / target.divisor for target in targets])
        self.sd = np.array([target.sd / target.divisor for target in targets])

    def standardise(self, values: np.ndarray) -> np.ndarray:
        standardised: np.ndarray = (values - self.mean) / self.sd
        return standardised


def _fit(
    target: Target,
    labels: np.ndarray,
    means: np.ndarray,
    variances: np.ndarray,
    sexes: Sequence[str],
) -> Calibration:
    known = np.isfinite(labels) & np.isfinite(means) & (variances > 0) & np.isfinite(variances)
    count = int(known.sum())
    if count < LEAST_FOR_VARIANCE:
        raise _too_small(target, count)
    y, m, v = labels[known], means[known], variances[known]
    is_class = target.kind == "class"
    slope, offset = (1.0, 0.0) if is_class else mean_correction(y, m, v)
    error = y - slope * m - offset
    factor = float(np.mean(error**2 / v))
    if is_rounding(error, y):
        raise _too_small(target, count)
    if is_class:
        return Calibration(target.name, count, factor)
    scores = np.abs(error) / np.sqrt(v * factor)
    sex = np.asarray(sexes)[known]
    return Calibration(
        target.name,
        count,
        factor,
        slope,
        offset,
        conformal_quantiles(scores),
        quantiles_by_sex(scores, sex),
    )


def mean_correction(
    labels: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[float, float]:
    """Slope and offset of the labels' weighted least-squares line over the means.

    Left at 1 and 0 with fewer than `LEAST_FOR_MEAN` studies; the slope alone is left at 1 where the
    line does not rise, as for a target that the network could not learn.
    """
    if len(labels) < LEAST_FOR_MEAN:
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


def _every_fifth(count: int) -> tuple[str, ...]:
    return tuple(str(index % 5) for index in range(count))


def _mismatch(what: str) -> MimirError:
    return MimirError(
        "CALIBRATION_MISMATCH",
        f"the predictions to calibrate on belong to another network: their file {what}",
        "Give predictions of the same targets, in the same order and units.",
    )


def _too_small(target: Target, count: int) -> MimirError:
    return MimirError(
        "CALIBRATION_TOO_SMALL",
        f"{target.name} has {count} labelled predictions whose errors say anything",
        "Give predictions of more studies, some hundred.",
    )
