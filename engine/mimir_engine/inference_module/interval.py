"""Compute the half-width of prediction intervals, in standard deviations."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np


def gaussian_quantile(level: float) -> float:
    """Return the half-width of the Gaussian's central interval in SDs: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def half_width_in_sd(conformal_quantiles: Mapping[float, float], level: float) -> float:
    """Return the half-width of a prediction interval in SDs.

    Between the known levels, and down to no width at level 0, the width is interpolated over the
    Gaussian's; beyond the highest it grows as the Gaussian's and is at least that. Without known
    quantiles it is the Gaussian's.

    Args:
        conformal_quantiles: ``{level: quantile}``, not decreasing with the level; may be empty.
        level: Share of the intervals that contain the true value, between 0 and 1.
    """
    z = gaussian_quantile(level)
    if not conformal_quantiles:
        return z
    levels = sorted(conformal_quantiles)
    knots = [gaussian_quantile(known) for known in levels]
    quantiles = [conformal_quantiles[known] for known in levels]
    if z > knots[-1] and not np.isclose(level, levels[-1], rtol=0, atol=1e-9):
        return z * max(1.0, quantiles[-1] / knots[-1])
    return float(np.interp(z, [0.0, *knots], [0.0, *quantiles]))
