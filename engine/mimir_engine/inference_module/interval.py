"""From an interval's level to half its width in standard deviations.

A module lists conformal quantiles at some levels. Between and beyond them one rule holds, so that a
wider level never gives a narrower interval:

- Between levels, the quantile is a straight line in the Gaussian's quantile z of the level, through
  the origin. Where errors are Gaussian up to a factor it is exact.
- Beyond the largest level no data stand behind an interval: the Gaussian's quantile, widened by
  as much as the largest listed quantile exceeds the Gaussian's there, and never narrowed.
- Without quantiles it is the Gaussian's.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np


def gaussian_quantile(level: float) -> float:
    """Half the width, in standard deviations, of the Gaussian's central interval of this level."""
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def half_width_in_sd(conformal_quantiles: Mapping[float, float], level: float) -> float:
    """Half the interval's width in standard deviations; see the rule above.

    Args:
        conformal_quantiles: ``{level: quantile}``, not falling with the level; may be empty.
        level: Share of the intervals that hold the true value, between 0 and 1.
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
