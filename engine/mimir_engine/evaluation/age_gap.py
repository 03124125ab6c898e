"""Compute the age gap, predicted age minus age: raw, and corrected for its dependence on age.

A network draws its estimates towards the cohort's average age, so the young get positive gaps and
the old negative ones. The usual correction subtracts the line of gap on age (Smith et al. 2019,
NeuroImage 200:528; Beheshti et al. 2019, NeuroImage Clin 24:102063). Here no
study contributes to the line that corrects it. The corrected gap is for relations with other
variables than age. As it uses the true age, the R² of a "corrected age" is high whatever the
network has learnt (Butler et al. 2021, Hum Brain Mapp 42:4092), so it is not computed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.evaluation.agreement import Scores, Weights, finite, weighted_sums
from mimir_engine.evaluation.rounding import is_rounding, squares_around_mean

#: Number of folds if none are given.
FOLDS = 10


def age_gaps(
    age: np.ndarray, estimate: np.ndarray, folds: Sequence[str] = (), persons: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return the raw and the corrected gap of each study, in years.

    The least-squares line of gap on age through all *other* folds is subtracted from each fold.

    Args:
        age: True age, float64 (studies,), NaN where unknown.
        estimate: Predicted age, likewise.
        folds: Fold of each study; with fewer than two, persons are assigned to ten at random.
        persons: Person of each study; all studies of a person are in the same of the ten folds.

    Returns:
        Both float64 (studies,); NaN where unknown, or where the other folds define no line.
    """
    gap = estimate - age
    fold_of = np.asarray(folds if len(set(folds)) > 1 else _assigned(persons or range(len(age))))
    known = np.isfinite(gap)
    corrected = np.full_like(gap, np.nan)
    for fold in np.unique(fold_of):
        mine, others = known & (fold_of == fold), known & (fold_of != fold)
        if others.sum() < 3 or is_rounding(np.ptp(age[others]), age[others]):
            continue
        slope, intercept = np.polyfit(age[others], gap[others], 1)
        corrected[mine] = gap[mine] - (intercept + slope * age[mine])
    return gap, corrected


def _assigned(persons: Sequence[object]) -> np.ndarray:
    """Assign persons to folds of equal size, always in the same way: int64 (studies,)."""
    names, person_of = np.unique(np.asarray(persons), return_inverse=True)
    folds = np.random.default_rng(0).permutation(len(names)) % FOLDS
    return np.asarray(folds[person_of])


def gap_scores(age: np.ndarray, gap: np.ndarray, weights: Weights = None) -> Scores:
    """Compute ``mae``, the mean size of a gap in years, and Pearson's ``age_correlation``.

    Arrays and weights are as in `agreement`.
    """
    a, g = age - age.mean(), gap - gap.mean()
    columns = (np.ones_like(a), a, g, a * a, g * g, a * g, np.abs(gap))
    n, s_a, s_g, s_aa, s_gg, s_ag, s_abs = weighted_sums(columns, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Gaps are differences of ages, so they carry the rounding errors of those.
        oldest = np.abs(age).max()
        both = squares_around_mean(n, s_a, s_aa, oldest) * squares_around_mean(
            n, s_g, s_gg, oldest + np.abs(gap).max()
        )
        correlation = (s_ag - s_a * s_g / n) / np.sqrt(both)
        return finite({"mae": s_abs / n, "age_correlation": correlation})
