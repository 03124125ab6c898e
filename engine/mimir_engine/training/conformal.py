"""Split-conformal intervals: half widths in SD that cover a given share of the truth.

The scores |y - m| / SD of n studies that the network has not seen are sorted; the interval of a
level reaches as far as the ceil((n + 1) level)-th smallest of them. It covers the truth of a new
study that is exchangeable with these with at least that probability, for any distribution of errors
(Papadopoulos et al., "Inductive confidence machines for regression", 2002; scaled by
the SD: Lei et al., "Distribution-free predictive inference for regression", 2018). If computed
separately for women and men, this holds for each sex (Mondrian; Vovk et al., 2003).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mimir_engine.evaluation.rounding import ROUNDING
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

#: Levels of the stored quantiles: enough to draw a calibration curve, `DEFAULT_LEVEL` among them.
LEVELS = (*(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)

#: Scores that must lie beyond the quantile of one sex: 200 studies at 95 %, 1,000 at 99 %. With n
#: scores the coverage of new studies scatters by sqrt(level (1 - level) / (n + 2)): by 1.5 points
#: at 95 % with 200.
MIN_BEYOND = 10


def conformal_quantiles(
    scores: np.ndarray, levels: Sequence[float] = LEVELS, min_beyond: float = 0.0
) -> dict[float, float]:
    """Compute the ceil((n + 1) level)-th smallest of n scores for all levels that n allows.

    Args:
        scores: float64 ``(studies,)``; NaN scores are ignored.
        levels: Each between 0 and 1, increasing.
        min_beyond: Scores that must lie beyond a quantile, in expectation.
    """
    ordered = np.sort(scores[np.isfinite(scores)])
    count = len(ordered)
    # Rounded, because 100 x 0.95 is not 95.00000000000001.
    ranks = {level: math.ceil(round((count + 1) * level, 9)) for level in levels}
    found = {
        level: float(ordered[rank - 1])
        for level, rank in ranks.items()
        if rank <= count and count * (1.0 - level) >= min_beyond - 1e-9
    }
    # Scores are near 1 by construction; one of rounding errors stands for an error of zero.
    return {level: quantile for level, quantile in found.items() if quantile > ROUNDING}


def quantiles_by_sex(scores: np.ndarray, sexes: Sequence[str]) -> dict[str, dict[float, float]]:
    """Compute quantiles of women and of men; none if either has too few studies for 95 %.

    Both or none: if only one sex had its own, the quantiles of all studies would mostly describe
    that sex and not cover the other. Levels that a sex has too few studies for are those of all
    studies, raised if they would fall below the sex's own largest.
    """
    sex = np.asarray(sexes)
    own = {
        name: conformal_quantiles(scores[sex == name], min_beyond=MIN_BEYOND)
        for name in ("female", "male")
    }
    if not all(DEFAULT_LEVEL in quantiles for quantiles in own.values()):
        return {}
    by_sex = {}
    for name, quantiles in own.items():
        rising = dict(sorted({**conformal_quantiles(scores), **quantiles}.items()))
        by_sex[name] = dict(zip(rising, np.maximum.accumulate([*rising.values()]).tolist()))
    return by_sex
