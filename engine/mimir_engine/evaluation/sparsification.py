"""Score how well predicted SDs rank the errors: sparsification, AUSE and ENCE.

All three sort studies by a key (predicted SD, or true error) and sum from the smallest. Studies are
sorted once, also for resamples, where each study counts as often as it was drawn: O(n log n).
If a limit falls within a study, the corresponding fraction of it is counted; studies of equal key
contribute equally. No result depends on the order of the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.evaluation.agreement import Scores, Weights, trapezoids
from mimir_engine.evaluation.rounding import ROUNDING

#: Shares of the studies removed in a sparsification curve: 0, 1 … 99 %.
REMOVED = np.arange(100) / 100
#: Bins of equal number for the ENCE.
BINS = 10
#: Resamples × studies processed at once, so that they fit into the processor's cache.
BLOCK = 100_000


def _ranked_sums(
    key: np.ndarray, shares: np.ndarray, values: Sequence[np.ndarray], weights: Weights
) -> np.ndarray:
    """Sum over the studies of smallest key.

    Args:
        key: Key to sort by, float64 (studies,).
        shares: Shares of all studies to sum over, float64 (shares,).
        values: Values to sum, each float64 (studies,).
        weights: (resamples, studies), or None for each study once.

    Returns:
        The number of studies, then the sum of each value: (resamples, 1 + values, shares).
    """
    order = np.argsort(key, kind="stable")
    # Keys that differ by rounding errors count as equal; else rounding would decide their order.
    rises = np.diff(key[order]) > ROUNDING * np.abs(key[order][1:])
    starts = np.append(0, np.flatnonzero(rises) + 1)
    ordered = np.stack([value[order] for value in values])
    rows = np.ones((1, len(order))) if weights is None else weights
    rising = np.argsort(shares)
    found = np.empty((1 + len(values), len(rows), len(shares)))
    block = max(1, BLOCK // len(order))
    for start in range(0, len(rows), block):
        drawn = rows[start : start + block].take(order, axis=1)
        # The running sum of integers is four times as fast as that of floats.
        counts = _sum_steps(drawn.astype(np.int64), starts).cumsum(axis=1)
        needed = shares[rising] * counts[:, -1:]
        sums = _sums_up_to(needed, counts, _sum_steps(drawn * ordered[:, None], starts))
        found[0, start : start + block] = needed
        found[1:, start : start + block] = sums
    return found[..., np.argsort(rising)].transpose(1, 0, 2)


def _sum_steps(ordered: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum the studies of equal key, from each start to the next: (..., studies) to (..., steps)."""
    if len(starts) == ordered.shape[-1]:
        return ordered
    return np.add.reduceat(ordered, starts, axis=-1)


def _sums_up_to(needed: np.ndarray, counts: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Sum over a number of studies from the first, with the fitting part of the last step.

    All resamples are concatenated, so that one search and one summation serve them all.

    Args:
        needed: Numbers of studies, rising (resamples, shares).
        counts: Studies up to the end of each step (resamples, steps).
        steps: Values to sum (values, resamples, steps).

    Returns:
        (values, resamples, shares).
    """
    rows = np.arange(len(counts))[:, None]
    apart = rows * (counts.max() + 1)
    place = np.searchsorted((counts + apart).ravel(), (needed + apart).ravel(), side="right")
    place = place.reshape(needed.shape) - rows * counts.shape[1]
    last = np.clip(place, 0, counts.shape[1] - 1)
    # Only a few values of the cumulative sums are needed: sums between them suffice.
    starts = np.concatenate((np.zeros_like(rows), last), axis=1)
    flat = (starts + rows * counts.shape[1]).ravel()
    between = np.add.reduceat(steps.reshape(len(steps), -1), flat, axis=1)
    between = between.reshape(len(steps), *starts.shape)[..., :-1]
    between[:, np.diff(starts) == 0] = 0.0  # here, reduceat returns one step instead of none
    before = np.where(last > 0, counts[rows, last - 1], 0)
    part = (needed - before) / np.maximum(counts[rows, last] - before, 1)
    return between.cumsum(axis=-1) + part * steps[:, rows, last]


def sparsification_curve(error: np.ndarray, key: np.ndarray, weights: Weights = None) -> np.ndarray:
    """Return the mean error of the studies left when the `REMOVED` of largest key are removed.

    Args:
        error: |mean - reference|, float64 (studies,).
        key: The predicted SD; or the error itself for the best possible curve (the oracle).
        weights: (resamples, studies).

    Returns:
        float64 ([resamples,] removed).
    """
    curves = _averages(_ranked_sums(key, 1.0 - REMOVED, [error], weights))
    return curves[0] if weights is None else curves


def ause(by_sd: np.ndarray, by_error: np.ndarray) -> np.ndarray:
    """Return the area between a curve and the oracle's, relative to the mean error of all.

    Ilg et al. 2018 (arXiv:1802.07095), with the mean absolute error; trapezoids over the shares.
    0 is perfect; SDs unrelated to the error come close to the oracle's own distance from 1.

    Args:
        by_sd: The curve by predicted SD, ([resamples,] removed), of `sparsification_curve`.
        by_error: The curve by true error, likewise.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = (by_sd - by_error) / by_error[..., :1]
    return trapezoids(gap, REMOVED)


def ranked_scores(
    reference: np.ndarray, mean: np.ndarray, sd: np.ndarray, weights: Weights = None
) -> Scores:
    """Compute ``ence`` and ``ause``, with one sort by SD for both.

    ``ence`` is the expected normalised calibration error of Levi et al. 2022 (arXiv:1905.11659):
    the average of |RMV - RMSE| / RMV (root mean predicted variance, root mean squared error) over
    bins of equal number by predicted SD. Above zero also for perfect SDs: about 0.6 √(bins / n);
    NaN with fewer studies than bins. ``ause`` is that of `ause`.
    """
    error = np.abs(mean - reference)
    # Rounding errors of exact predictions would be sorted as if they were errors.
    error = np.where(error > ROUNDING * np.abs(reference).max(), error, 0.0)
    kept, borders = 1.0 - REMOVED, np.arange(BINS + 1) / BINS
    sums = _ranked_sums(sd, np.concatenate((kept, borders)), [error, sd**2, error**2], weights)
    by_sd = _averages(sums[:, :2, : len(kept)])
    by_error = sparsification_curve(error, error, weights)
    errors, areas = _ence(sums[:, (0, 2, 3), len(kept) :]), ause(by_sd, by_error)
    if weights is None:
        return {"ence": errors[0], "ause": areas[0]}
    return {"ence": errors, "ause": areas}


def _averages(sums: np.ndarray) -> np.ndarray:
    """Divide sums by numbers, both of `_ranked_sums`; NaN where a resample has no study."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[:, 1] / sums[:, 0]


def _ence(sums: np.ndarray) -> np.ndarray:
    """Compute ENCE from count, variance and squared error to borders: (resamples, 3, borders)."""
    count, variance, squared = np.moveaxis(np.diff(sums), 1, 0)
    total = sums[:, 0, -1]  # exact, unlike the sum of the bins' shares of it
    with np.errstate(divide="ignore", invalid="ignore"):
        rmv, rmse = np.sqrt(variance / count), np.sqrt(squared / count)
        errors = np.mean(np.abs(rmv - rmse) / rmv, axis=1)
    return np.where(total >= count.shape[1], errors, np.nan)
