"""Compute all metrics of all targets, by subgroup, with bootstrap intervals."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Optional

import numpy as np

from mimir_engine.evaluation.age_gap import age_gaps, gap_scores
from mimir_engine.evaluation.agreement import Scores, Weights, agreement
from mimir_engine.evaluation.bootstrap import percentile_intervals, resample_counts
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.sparsification import ranked_scores
from mimir_engine.evaluation.subgroups import AGE, subgroups
from mimir_engine.evaluation.uncertainty import gaussian_scores, interval_scores
from mimir_engine.inference_module.interval import gaussian_quantile
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

#: Names of the metrics, in the order of the tables. See the functions that compute them.
AGREEMENT = ("icc", "r2", "mae", "mape", "rmse", "bias", "loa_lower", "loa_upper")
UNCERTAINTY = ("picp", "width", "relative_width", "auce", "ence", "crps", "nll", "ause")
AGE_GAP = (
    "raw_gap_mae",
    "raw_gap_age_correlation",
    "corrected_gap_mae",
    "corrected_gap_age_correlation",
)
METRICS = (*AGREEMENT, *UNCERTAINTY, *AGE_GAP)
#: Targets with fewer studies with both reference and prediction are not evaluated.
MIN_STUDIES = 3
#: The subgroup of all studies.
ALL = ("all", "")
#: Level of the bootstrap intervals.
BOOTSTRAP_LEVEL = 0.95
#: Bytes of weights at once, in each thread. NumPy lets other threads run while it works.
BLOCK_BYTES = 64_000_000
MAX_THREADS = 4

#: Called with the number of steps done and of all.
Listener = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of an evaluation.

    Attributes:
        names, units: Of the targets.
        subgroups: Group and member, e.g. ("sex", "female"); the first is `ALL`.
        counts: Studies with reference and prediction, int64 (subgroups, targets).
        values: float64 (subgroups, targets, metrics), in the order of `METRICS`; NaN where a
            metric is not defined.
        lower, upper: Bounds of the 95 % bootstrap intervals, in the same shape.
        level: Of the prediction intervals that ``picp`` and widths are about.
        given: Whether those intervals are part of the predictions; else they are Gaussian.
        resamples, seed: Of the bootstrap.
        studies, persons: How many there are.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    subgroups: tuple[tuple[str, str], ...]
    counts: np.ndarray
    values: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    level: float
    given: bool
    resamples: int
    seed: int
    studies: int
    persons: int

    def value(self, target: str, metric: str, subgroup: tuple[str, str] = ALL) -> float:
        """Return the value of one metric."""
        place = self.subgroups.index(subgroup), self.names.index(target), METRICS.index(metric)
        return float(self.values[place])

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Targets with too few pairs of reference and prediction."""
        return tuple(n for n, count in zip(self.names, self.counts[0]) if count < MIN_STUDIES)


@dataclass(frozen=True, eq=False)
class _Input:
    """Input of the metrics: float64 (studies, targets), and the gaps of the target age."""

    reference: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    age: Optional[int]
    gaps: Mapping[str, np.ndarray]


def evaluate(
    predictions: Predictions,
    groups: Optional[Mapping[str, Sequence[str]]] = None,
    level: float = DEFAULT_LEVEL,
    resamples: int = 1000,
    seed: int = 0,
    listener: Optional[Listener] = None,
) -> Evaluation:
    """Evaluate predictions.

    Args:
        predictions: With references.
        groups: Each study's member of each group, see `subgroups.choose_groups`.
        level: Level of the Gaussian intervals, where the predictions have no intervals.
        resamples: Of the bootstrap over persons; 0 for no intervals.
        seed: Of the bootstrap; the same gives the same intervals.
        listener: Called with the progress.
    """
    given = _input(predictions, level)
    parts = [(*ALL, np.arange(len(predictions))), *subgroups(groups or {})]
    drawn = resample_counts(predictions.persons, resamples, seed)
    shape = (len(parts), len(predictions.names))
    counts = np.zeros(shape, dtype=np.int64)
    values, lower, upper = (np.full((*shape, len(METRICS)), np.nan) for _ in range(3))
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as threads:
        for part, (_, _, rows) in enumerate(parts):
            samples = np.full((resamples, shape[1], len(METRICS)), np.nan)
            one_target = partial(_evaluate_target, given, rows=rows, drawn=drawn, samples=samples)
            for target, result in enumerate(threads.map(one_target, range(shape[1]))):
                counts[part, target], values[part, target] = result
                if listener:
                    listener(part * shape[1] + target + 1, shape[0] * shape[1])
            if resamples:
                lower[part], upper[part] = percentile_intervals(samples, BOOTSTRAP_LEVEL)
    unknown = np.isnan(values)
    lower[unknown], upper[unknown] = np.nan, np.nan
    return Evaluation(
        names=predictions.names,
        units=predictions.units,
        subgroups=tuple((group, member) for group, member, _ in parts),
        counts=counts,
        values=values,
        lower=lower,
        upper=upper,
        level=predictions.level or level,
        given=predictions.level is not None,
        resamples=resamples,
        seed=seed,
        studies=len(predictions),
        persons=len(set(predictions.persons)),
    )


def _input(p: Predictions, level: float) -> _Input:
    half = gaussian_quantile(level) * p.sd
    lower = p.mean - half if p.lower is None else p.lower
    upper = p.mean + half if p.upper is None else p.upper
    age = next((i for i, name in enumerate(p.names) if name.lower() == AGE), None)
    gaps = {}
    if age is not None:
        folds = p.groups.get("fold", ())
        raw, corrected = age_gaps(p.reference[:, age], p.mean[:, age], folds, p.persons)
        gaps = {"raw": raw, "corrected": corrected}
    return _Input(p.reference, p.mean, p.sd, lower, upper, age, gaps)


def _evaluate_target(
    given: _Input, target: int, rows: np.ndarray, drawn: np.ndarray, samples: np.ndarray
) -> tuple[int, np.ndarray]:
    """Return the number of a target's studies and its metrics; fill in `samples`."""
    known = np.isfinite(given.reference[rows, target]) & np.isfinite(given.mean[rows, target])
    rows = rows[known]
    values = np.full(len(METRICS), np.nan)
    if len(rows) < MIN_STUDIES:
        return len(rows), values
    for name, value in _metrics(given, target, rows, None).items():
        values[METRICS.index(name)] = value
    block = max(1, BLOCK_BYTES // (8 * len(rows)))
    for start in range(0, len(drawn), block):
        weights = drawn[start : start + block].take(rows, axis=1).astype(np.float64)
        for name, sample in _metrics(given, target, rows, weights).items():
            samples[start : start + block, target, METRICS.index(name)] = sample
    return len(rows), values


def _metrics(given: _Input, target: int, rows: np.ndarray, weights: Weights) -> Scores:
    """Compute each metric on the studies that have the values it needs."""
    reference, mean, sd, lower, upper = (
        values[rows, target]
        for values in (given.reference, given.mean, given.sd, given.lower, given.upper)
    )
    found = agreement(reference, mean, weights)

    def add(score: Callable[..., Scores], *arrays: np.ndarray) -> None:
        """Score the studies for which all arrays have a value."""
        has = np.isfinite(arrays).all(axis=0)
        if has.sum() >= MIN_STUDIES:
            of_them = weights if weights is None or has.all() else weights[:, has]
            found.update(score(*(array[has] for array in arrays), of_them))

    add(interval_scores, reference, lower, upper)
    add(gaussian_scores, reference, mean, sd)
    add(ranked_scores, reference, mean, sd)
    if target == given.age:
        for kind, gaps in given.gaps.items():
            add(partial(_named_gap_scores, kind), reference, gaps[rows])
    return found


def _named_gap_scores(kind: str, age: np.ndarray, gap: np.ndarray, weights: Weights) -> Scores:
    return {f"{kind}_gap_{name}": score for name, score in gap_scores(age, gap, weights).items()}
