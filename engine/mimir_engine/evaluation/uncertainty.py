"""Whether predicted uncertainty is true: coverage, calibration and proper scores.

Arrays and weights are as in `agreement`: one target's studies, none of them NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Optional

import numpy as np

from mimir_engine.evaluation.agreement import finite, weighted_sums
from mimir_engine.evaluation.rounding import squares_around_mean

#: Levels at which coverage is looked at. Finer than the published 0, 0.1 … 1, which sees the middle
#: of the curve only; the area's value hardly differs.
LEVELS = np.linspace(0.0, 1.0, 101)


def gaussian_quantiles(levels: Sequence[float] | np.ndarray = LEVELS) -> np.ndarray:
    """Half the width, in SDs, of the Gaussian interval that holds each share: 1.96 for 0.95."""
    normal = NormalDist()
    inner = [normal.inv_cdf((1 + p) / 2) if p < 1 else math.inf for p in map(float, levels)]
    return np.array(inner)


def coverage_curve(
    score: np.ndarray, quantiles: np.ndarray, weights: Optional[np.ndarray] = None
) -> np.ndarray:
    """Share of the studies whose score is within each quantile.

    Args:
        score: |reference - mean| / sd, float64 (studies,).
        quantiles: For each level, of the Gaussian or of conformal intervals mean ± q sd:
            (levels,), or (studies, levels) where they differ between studies (as by sex).
        weights: (resamples, studies).

    Returns:
        Shares, ([resamples,] levels).
    """
    inside = (score[:, None] <= quantiles).astype(np.float64)
    return _shares(inside, weights)


def interval_curve(
    reference: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    weights: Optional[np.ndarray] = None,
) -> np.ndarray:
    """The same for intervals given at several levels: bounds (studies, levels)."""
    inside = (lower <= reference[:, None]) & (reference[:, None] <= upper)
    return _shares(inside.astype(np.float64), weights)


def _shares(inside: np.ndarray, weights: Optional[np.ndarray]) -> np.ndarray:
    if weights is None:
        return inside.mean(axis=0)
    with np.errstate(invalid="ignore"):
        return (weights @ inside) / weights.sum(axis=1, keepdims=True)


def auce(coverage: np.ndarray, levels: Sequence[float] | np.ndarray = LEVELS) -> np.ndarray:
    """Area between a coverage curve and the diagonal, by trapezoids of |coverage - level|.

    The area under the calibration error curve of Gustafsson et al. 2020 (arXiv:1906.01620); 0 is
    perfect, 0.5 the worst. Of `levels`, the outermost should be 0 and 1.

    Args:
        coverage: ([resamples,] levels).
        levels: Nominal coverage, rising.
    """
    gap = np.abs(coverage - np.asarray(levels))
    return (np.diff(levels) * (gap[..., 1:] + gap[..., :-1]) / 2).sum(axis=-1)


def crps(reference: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of each study's Gaussian, in the target's unit.

    sd (z (2 Φ(z) - 1) + 2 φ(z) - 1/√π), z = (reference - mean) / sd (Gneiting and Raftery 2007).
    """
    z = (reference - mean) / sd
    two_phi = np.sqrt(2 / math.pi) * np.exp(-z * z / 2)
    # erf(z/√2) is 2 Φ(z) - 1. NumPy has none.
    inside = np.array([math.erf(x) for x in (z / math.sqrt(2)).tolist()])
    return sd * (z * inside + two_phi - 1 / math.sqrt(math.pi))


def negative_log_likelihood(reference: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Of each study's Gaussian, natural logarithm; its zero depends on the unit."""
    z = (reference - mean) / sd
    return 0.5 * math.log(2 * math.pi) + np.log(sd) + z * z / 2


def gaussian_scores(
    reference: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    weights: Optional[np.ndarray] = None,
) -> dict[str, np.ndarray]:
    """``auce`` of the Gaussian intervals at `LEVELS`, average ``crps`` and average ``nll``."""
    coverage = coverage_curve(np.abs(reference - mean) / sd, gaussian_quantiles(), weights)
    scores = (crps(reference, mean, sd), negative_log_likelihood(reference, mean, sd))
    n, s_crps, s_nll = weighted_sums((np.ones_like(sd), *scores), weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return finite({"auce": auce(coverage), "crps": s_crps / n, "nll": s_nll / n})


def interval_scores(
    reference: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    weights: Optional[np.ndarray] = None,
) -> dict[str, np.ndarray]:
    """Coverage and width of one interval a study; bounds (studies,) belong to the interval.

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
