"""Compute all metrics of all targets, by subgroup, with bootstrap intervals."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Optional

import numpy as np

from mimir_engine.evaluation.age_gap import age_gaps, gap_scores
from mimir_engine.evaluation.agreement import Scores, Weights, agreement
from mimir_engine.evaluation.bootstrap import percentile_intervals, resample_counts
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.evaluation.sparsification import ranked_scores
from mimir_engine.evaluation.subgroups import AGE, subgroups
from mimir_engine.evaluation.uncertainty import (
    coverage_by_size,
    gaussian_scores,
    interval_scores,
)
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
#: With fewer studies, the lowest and highest 5 % are too few to tell their coverage.
MIN_FOR_SIZE = 100
#: What studies are sorted by to tell the coverage by size.
SORTED_BY = ("estimate", "reference")
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
        names: Names of the targets.
        units: Their units.
        subgroups: Group and member, e.g. ("sex", "female"); the first is `ALL`.
        counts: Studies with reference and prediction, int64 (subgroups, targets).
        values: float64 (subgroups, targets, metrics), in the order of `METRICS`; NaN where a
            metric is not defined.
        lower: Lower bounds of the 95 % bootstrap intervals, in the same shape.
        upper: Upper bounds, likewise.
        level: Level of the prediction intervals of ``picp`` and the widths.
        given: Whether those intervals are part of the predictions; else they are Gaussian.
        resamples: Number of the bootstrap's resamples.
        seed: Seed of the bootstrap.
        studies: Number of studies.
        persons: Number of persons.
        by_size: ``{target: {sorted by: {part: coverage}}}``; see `coverage_by_size`.
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
    by_size: Mapping[str, Mapping[str, Scores]] = field(default_factory=dict)

    def value(self, target: str, metric: str, subgroup: tuple[str, str] = ALL) -> float:
        """Return the value of one metric."""
        place = self.subgroups.index(subgroup), self.names.index(target), METRICS.index(metric)
        return float(self.values[place])

    @property
    def unevaluated(self) -> tuple[str, ...]:
        """Targets with too few pairs of reference and prediction."""
        return tuple(n for n, count in zip(self.names, self.counts[0]) if count < MIN_STUDIES)


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
        level: Level of the Gaussian intervals of predictions without intervals.
        resamples: Number of the bootstrap's resamples of persons; 0 for no intervals.
        seed: Seed of the bootstrap.
        listener: Called with the progress.
    """
    given, gaps = predictions, _gaps(predictions)
    if predictions.level is None:
        mean, half = predictions.mean, gaussian_quantile(level) * predictions.sd
        given = replace(predictions, lower=mean - half, upper=mean + half, level=level)
    parts = [(*ALL, np.arange(len(predictions))), *subgroups(groups or {})]
    drawn = resample_counts(predictions.persons, resamples, seed)
    shape = (len(parts), len(predictions.names))
    counts = np.zeros(shape, dtype=np.int64)
    values, lower, upper = (np.full((*shape, len(METRICS)), np.nan) for _ in range(3))
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as threads:
        for part, (_, _, rows) in enumerate(parts):
            samples = np.full((resamples, shape[1], len(METRICS)), np.nan)
            one_target = partial(_evaluate_target, given, gaps, rows, drawn, samples)
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
        level=given.level or level,
        given=predictions.level is not None,
        resamples=resamples,
        seed=seed,
        studies=len(predictions),
        persons=len(set(predictions.persons)),
        by_size=dict(_by_size(given)),
    )


def _by_size(p: Predictions) -> Iterator[tuple[str, dict[str, Scores]]]:
    """Compute the coverage of small and of large values, of targets with enough studies."""
    for column, name in enumerate(p.names):
        arrays = [a[:, column] for a in (p.reference, p.mean, p.lower, p.upper) if a is not None]
        known = np.isfinite(arrays).all(axis=0)
        if len(arrays) < 4 or known.sum() < MIN_FOR_SIZE:
            continue
        label, mean, lower, upper = (a[known] for a in arrays)
        inside = (lower <= label) & (label <= upper)
        yield name, {by: coverage_by_size(inside, a) for by, a in zip(SORTED_BY, (mean, label))}


def _gaps(p: Predictions) -> dict[int, dict[str, np.ndarray]]:
    """Compute the gaps of the target age, by its column; empty without that target."""
    age = next((i for i, name in enumerate(p.names) if name.lower() == AGE), None)
    if age is None:
        return {}
    folds = p.groups.get("fold", ())
    raw, corrected = age_gaps(p.reference[:, age], p.mean[:, age], folds, p.persons)
    return {age: {"raw": raw, "corrected": corrected}}


def _evaluate_target(
    given: Predictions,
    gaps: Mapping[int, Mapping[str, np.ndarray]],
    rows: np.ndarray,
    drawn: np.ndarray,
    samples: np.ndarray,
    target: int,
) -> tuple[int, np.ndarray]:
    """Return the number of a target's studies and its metrics; fill in `samples`."""
    known = np.isfinite(given.reference[rows, target]) & np.isfinite(given.mean[rows, target])
    rows = rows[known]
    values = np.full(len(METRICS), np.nan)
    if len(rows) < MIN_STUDIES:
        return len(rows), values
    arrays = {
        name: getattr(given, name)[rows, target]
        for name in ("reference", "mean", "sd", "lower", "upper")
    }
    arrays.update((name, gap[rows]) for name, gap in gaps.get(target, {}).items())
    for name, value in _metrics(arrays, None).items():
        values[METRICS.index(name)] = value
    block = max(1, BLOCK_BYTES // (8 * len(rows)))
    for start in range(0, len(drawn), block):
        weights = drawn[start : start + block].take(rows, axis=1).astype(np.float64)
        for name, sample in _metrics(arrays, weights).items():
            samples[start : start + block, target, METRICS.index(name)] = sample
    return len(rows), values


def _metrics(arrays: Mapping[str, np.ndarray], weights: Weights) -> Scores:
    """Compute each metric on the studies that have the values it needs."""
    found = agreement(arrays["reference"], arrays["mean"], weights)

    def add(score: Callable[..., Scores], *names: str, prefix: str = "") -> None:
        """Score the studies for which these arrays have a value."""
        has = np.isfinite([arrays[name] for name in names]).all(axis=0)
        if has.sum() >= MIN_STUDIES:
            of_them = weights if weights is None or has.all() else weights[:, has]
            scores = score(*(arrays[name][has] for name in names), of_them)
            found.update((prefix + name, value) for name, value in scores.items())

    add(interval_scores, "reference", "lower", "upper")
    add(gaussian_scores, "reference", "mean", "sd")
    add(ranked_scores, "reference", "mean", "sd")
    for kind in arrays.keys() & {"raw", "corrected"}:
        add(gap_scores, "reference", kind, prefix=f"{kind}_gap_")
    return found
