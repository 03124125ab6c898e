"""Split-conformal intervals: how many SD around the estimate hold a given share of the truth.

The scores |y - m| / SD of n studies that the network has not seen are sorted; the interval of a
level reaches as far as the ceil((n + 1) level)-th smallest of them. For a new study that is
exchangeable with these it holds the truth with at least that probability, whatever the errors'
distribution (Papadopoulos et al., "Inductive confidence machines for regression", 2002; scaled by
the SD: Lei et al., "Distribution-free predictive inference for regression", 2018). Taken for women
and men apart it holds for each sex by itself (Mondrian; Vovk et al., 2003).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mimir_engine.evaluation.rounding import ROUNDING

LEVELS = (*(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)
"""Levels of the quantiles that are kept: enough to draw a calibration curve."""

LEAST_BEYOND = 10
"""Scores that must lie beyond the quantile of one sex: 200 studies at 95 %, 1,000 at 99 %. With n
scores the coverage to come scatters by sqrt(level (1 - level) / (n + 2)): by 1.5 points at 95 %
with 200."""

LEAST_LEVEL_BY_SEX = 0.95
"""Sexes get quantiles of their own where each has studies enough for this level."""


def conformal_quantile(scores: np.ndarray, level: float) -> float:
    """The ceil((n + 1) level)-th smallest score; infinite where n is too small for the level.

    Args:
        scores: float64 ``(studies,)``, without gaps.
        level: Between 0 and 1.
    """
    rank = math.ceil(round((len(scores) + 1) * level, 9))  # 100 x 0.95 is not 95.00000000000001
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


def conformal_quantiles(
    scores: np.ndarray, levels: Sequence[float] = LEVELS, least_beyond: float = 0.0
) -> dict[float, float]:
    """Quantiles of all levels for which there are scores enough; NaN scores are left out.

    Args:
        scores: float64 ``(studies,)``.
        levels: Increasing.
        least_beyond: Scores that must lie beyond a quantile, in expectation.
    """
    known = scores[np.isfinite(scores)]
    found = {
        level: conformal_quantile(known, level)
        for level in levels
        if len(known) * (1.0 - level) >= least_beyond - 1e-9
    }
    # Scores are near 1 by construction; one of rounding errors stands for an error of zero.
    return {level: quantile for level, quantile in found.items() if ROUNDING < quantile < math.inf}


def quantiles_by_sex(
    scores: np.ndarray, sexes: Sequence[str], levels: Sequence[float] = LEVELS
) -> dict[str, dict[float, float]]:
    """Quantiles of women and of men, or nothing where either has too few studies for 95 %.

    Both or none: if one sex had its own and the other that of all, the other would be left with the
    coverage of a mixture it is a small part of. Levels beyond a sex's own are those of all studies,
    raised where they would fall below the sex's own largest.
    """
    sex = np.asarray(sexes)
    own = {
        name: conformal_quantiles(scores[sex == name], levels, LEAST_BEYOND)
        for name in ("female", "male")
    }
    if not all(LEAST_LEVEL_BY_SEX in quantiles for quantiles in own.values()):
        return {}
    pooled = conformal_quantiles(scores, levels)
    return {name: _rising({**pooled, **quantiles}) for name, quantiles in own.items()}


def _rising(quantiles: Mapping[float, float]) -> dict[float, float]:
    levels = sorted(quantiles)
    risen = np.maximum.accumulate([quantiles[level] for level in levels])
    return dict(zip(levels, risen.tolist()))
