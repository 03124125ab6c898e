"""Scales between targets in their units and the standard deviations that networks predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.rounding import is_rounding


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Mean and SD (ddof 1) of each target's labels in the training data: float64 ``(targets,)``."""

    mean: np.ndarray
    sd: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Convert values to standard deviations from the mean; NaN stays NaN."""
        return np.asarray((values - self.mean) / self.sd)


def standardisation_of(targets: np.ndarray, names: Sequence[str]) -> Standardisation:
    """Measure mean and SD of each target's labels.

    Raises:
        MimirError: ``TARGET_WITHOUT_SPREAD`` for fewer than two different labels.
    """
    labelled = np.isfinite(targets)
    for column, name in enumerate(names):
        labels = targets[labelled[:, column], column]
        if len(labels) < 2 or is_rounding(np.ptp(labels), labels):
            raise MimirError(
                "TARGET_WITHOUT_SPREAD",
                f"{name} has fewer than two different labels",
                "Leave it out or add labelled studies.",
            )
    known = np.where(labelled, targets, np.nan)
    return Standardisation(mean=np.nanmean(known, axis=0), sd=np.nanstd(known, axis=0, ddof=1))
