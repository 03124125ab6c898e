"""Makes predicted variances true on held-out data, and says how true they are.

All arrays are float64 (studies, targets); labels may be NaN where they are missing.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np


def variance_factors(labels: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """What to multiply each target's variance by: the mean of (y - m)² / v, float64 (targets,).

    The maximum-likelihood scale in closed form (Laves et al., "Well-calibrated regression
    uncertainty in medical imaging with deep learning", MIDL 2020). To be taken on data that the
    network has not seen.
    """
    factors: np.ndarray = np.nanmean((labels - means) ** 2 / variances, axis=0)
    return factors


def coverage(
    labels: np.ndarray, means: np.ndarray, variances: np.ndarray, level: float = 0.95
) -> np.ndarray:
    """Share of the labels inside the Gaussian interval of this level, float64 (targets,)."""
    half_width = NormalDist().inv_cdf((1.0 + level) / 2.0) * np.sqrt(variances)
    inside = np.where(np.isfinite(labels), np.abs(labels - means) <= half_width, np.nan)
    share: np.ndarray = np.nanmean(inside, axis=0)
    return share


def r_squared(labels: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Share of the labels' variance that is explained, float64 (targets,)."""
    residual = np.nansum((labels - means) ** 2, axis=0)
    total = np.nansum((labels - np.nanmean(labels, axis=0)) ** 2, axis=0)
    share: np.ndarray = 1.0 - residual / total
    return share


def mean_absolute_error(labels: np.ndarray, means: np.ndarray) -> np.ndarray:
    """In the labels' unit, float64 (targets,)."""
    error: np.ndarray = np.nanmean(np.abs(labels - means), axis=0)
    return error
