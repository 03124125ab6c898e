"""Score predicted uncertainty: coverage, calibration and proper scores.

Arrays and weights are as in `agreement`: one target's studies, none of them NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mimir_engine.evaluation.agreement import Scores, Weights, finite, trapezoids, weighted_sums
from mimir_engine.evaluation.rounding import squares_around_mean
from mimir_engine.inference_module.interval import gaussian_quantile

#: Levels of the coverage curve. The published steps of 0.1 show only the middle of the curve; the
#: area hardly differs.
LEVELS = np.linspace(0.0, 1.0, 101)
#: Half-widths of the Gaussian intervals at these levels, in SDs.
HALF_WIDTHS = np.array([*map(gaussian_quantile, LEVELS[:-1].tolist()), math.inf])

#: Parts of the studies by size of the estimate or of the reference, as shares of their ranks.
PARTS_BY_SIZE = {
    "bottom_5_percent": (0.0, 0.05),
    "low_third": (0.0, 1 / 3),
    "middle_third": (1 / 3, 2 / 3),
    "high_third": (2 / 3, 1.0),
    "top_5_percent": (0.95, 1.0),
}


def coverage_by_size(inside: np.ndarray, size: np.ndarray) -> Scores:
    """Return the share of studies inside their intervals in each of `PARTS_BY_SIZE`.

    Intervals may hold on average and yet fail for the largest or smallest: parts by *estimate* show
    whether those can be trusted who are estimated as such; parts by *reference* are never covered
    as well at the ends, since estimates are drawn towards the mean.

    Args:
        inside: Whether the reference lies in the interval, bool (studies,).
        size: Estimate or reference, (studies,).
    """
    ordered, count = inside[np.argsort(size, kind="stable")], len(size)
    ranks = (np.arange(count) + 0.5) / count
    parts = {
        name: ordered[(low < ranks) & (ranks <= high)]
        for name, (low, high) in PARTS_BY_SIZE.items()
    }
    shares = {n: np.asarray(part.mean() if len(part) else np.nan) for n, part in parts.items()}
    return finite(shares)


def coverage_curve(score: np.ndarray, weights: Weights = None) -> np.ndarray:
    """Return the share of the studies inside their Gaussian intervals at `LEVELS`.

    Args:
        score: |reference - mean| / sd, float64 (studies,).
        weights: (resamples, studies).

    Returns:
        Shares, ([resamples,] levels).
    """
    inside = score[:, None] <= HALF_WIDTHS
    if weights is None:
        return inside.mean(axis=0)
    with np.errstate(invalid="ignore"):
        return (weights @ inside.astype(np.float64)) / weights.sum(axis=1, keepdims=True)


def auce(coverage: np.ndarray, levels: Sequence[float] | np.ndarray = LEVELS) -> np.ndarray:
    """Return the area between a coverage curve and the diagonal, by trapezoids.

    The area under the calibration error curve of Gustafsson et al. 2020 (arXiv:1906.01620); 0 is
    perfect, 0.5 the worst. The first and last of `levels` should be 0 and 1.

    Args:
        coverage: ([resamples,] levels).
        levels: Nominal coverage, rising.
    """
    return trapezoids(np.abs(coverage - np.asarray(levels)), np.asarray(levels))


def crps(reference: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score of each study's Gaussian, in the unit.

    sd (z (2 Φ(z) - 1) + 2 φ(z) - 1/√π), z = (reference - mean) / sd (Gneiting and Raftery 2007).
    """
    z = (reference - mean) / sd
    two_phi = np.sqrt(2 / math.pi) * np.exp(-z * z / 2)
    # erf(z/√2) = 2 Φ(z) - 1; NumPy has no erf.
    inside = np.array([math.erf(x) for x in (z / math.sqrt(2)).tolist()])
    return sd * (z * inside + two_phi - 1 / math.sqrt(math.pi))


def negative_log_likelihood(reference: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the negative log-likelihood of each study's Gaussian; its zero depends on the unit."""
    z = (reference - mean) / sd
    return 0.5 * math.log(2 * math.pi) + np.log(sd) + z * z / 2


def gaussian_scores(
    reference: np.ndarray, mean: np.ndarray, sd: np.ndarray, weights: Weights = None
) -> Scores:
    """Compute ``auce`` of the Gaussian intervals at `LEVELS`, average ``crps`` and ``nll``."""
    coverage = coverage_curve(np.abs(reference - mean) / sd, weights)
    scores = (crps(reference, mean, sd), negative_log_likelihood(reference, mean, sd))
    n, s_crps, s_nll = weighted_sums((np.ones_like(sd), *scores), weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return finite({"auce": auce(coverage), "crps": s_crps / n, "nll": s_nll / n})


def interval_scores(
    reference: np.ndarray, lower: np.ndarray, upper: np.ndarray, weights: Weights = None
) -> Scores:
    """Compute coverage and width of one interval per study; bounds (studies,) are inside.

    ``picp`` is the share of references inside, ``width`` the average width in the target's unit,
    ``relative_width`` that width over the references' SD (over n - 1).
    """
    inside = (lower <= reference) & (reference <= upper)
    a = reference - reference.mean()
    columns = (np.ones_like(a), inside, upper - lower, a, a * a)
    n, s_inside, s_width, s_a, s_aa = weighted_sums(columns, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = squares_around_mean(n, s_a, s_aa, np.abs(reference).max())
        sd = np.sqrt(spread / (n - 1))
        width = s_width / n
        return finite({"picp": s_inside / n, "width": width, "relative_width": width / sd})
