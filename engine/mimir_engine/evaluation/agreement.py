"""Compute how well predictions agree with reference values.

Every function takes one target's studies, none of them NaN, as float64 (studies,), and optionally
`weights`, float64 (resamples, studies): how often each study occurs in each resample. With weights
the results have shape (resamples,), else they are single numbers; NaN if one is not defined.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.evaluation.rounding import squares_around_mean
from mimir_engine.inference_module.interval import gaussian_quantile

#: How often each study occurs in each resample, float64 (resamples, studies); None for each once.
Weights = Optional[np.ndarray]
#: Metrics by name: (resamples,), or single numbers without weights.
Scores = dict[str, np.ndarray]
#: References closer to zero are left out of the relative error, as in the published validation.
MIN_REFERENCE = 1e-4
#: Half-width of the 95 % limits of agreement, in SDs of the differences.
LIMITS_SD = gaussian_quantile(0.95)


def agreement(reference: np.ndarray, mean: np.ndarray, weights: Weights = None) -> Scores:
    """Compute all metrics of agreement at once, since they share their sums.

    With d = mean - reference, over n studies:

    - ``icc``: ICC(2,1) of Shrout and Fleiss 1979, i.e. two-way random effects, absolute agreement,
      single rater (ICC(A,1) of McGraw and Wong 1996). For two raters it comes to
      2 cov / (var_reference + var_mean + bias² - var_d / n), with variances over n - 1.
    - ``r2``: 1 - sum d² / sum (reference - its average)²; the coefficient of determination.
    - ``mae``, ``rmse``: mean of |d|; root of the mean of d².
    - ``mape``: mean of |d / reference| in percent, without references below 0.0001 in size.
    - ``bias``: mean of d; what is predicted too high is positive.
    - ``loa_lower``, ``loa_upper``: bias ± 1.96 SD of d (over n - 1), the 95 % limits of agreement
      of Bland and Altman 1986.
    """
    centre = reference.mean()
    a, d = reference - centre, mean - reference
    relative = np.zeros_like(d)
    counted = np.abs(reference) >= MIN_REFERENCE
    np.divide(np.abs(d), np.abs(reference), out=relative, where=counted)
    columns = (np.ones_like(a), a, a * a, d, d * d, a * d, np.abs(d), counted, relative)
    n, s_a, s_aa, s_d, s_dd, s_ad, s_abs, n_relative, s_relative = weighted_sums(columns, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        bias = s_d / n
        spread = squares_around_mean(n, s_a, s_aa, np.abs(reference).max())
        var_a = spread / (n - 1)
        var_d = np.maximum(s_dd - s_d * bias, 0.0) / (n - 1)
        covariance = var_a + (s_ad - s_a * bias) / (n - 1)
        var_b = 2 * covariance - var_a + var_d
        limits = LIMITS_SD * np.sqrt(var_d)
        return finite(
            {
                "icc": 2 * covariance / (var_a + var_b + bias**2 - var_d / n),
                "r2": 1 - s_dd / spread,
                "mae": s_abs / n,
                "mape": 100 * s_relative / n_relative,
                "rmse": np.sqrt(s_dd / n),
                "bias": bias,
                "loa_lower": bias - limits,
                "loa_upper": bias + limits,
            }
        )


def weighted_sums(columns: tuple[np.ndarray, ...], weights: Weights) -> np.ndarray:
    """Sum columns (studies,) over the studies of each resample: (columns[, resamples])."""
    stacked = np.stack(columns).astype(np.float64)
    if weights is None:
        return stacked.sum(axis=1)
    return (weights @ stacked.T).T  # far faster than stacked @ weights.T


def trapezoids(heights: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Integrate curves (..., places) by trapezoids."""
    return (np.diff(places) * (heights[..., 1:] + heights[..., :-1]) / 2).sum(axis=-1)


def finite(metrics: Scores) -> Scores:
    """Replace infinite values, left by divisions by zero, with NaN."""
    return {name: np.where(np.isfinite(v), v, np.nan) for name, v in metrics.items()}
