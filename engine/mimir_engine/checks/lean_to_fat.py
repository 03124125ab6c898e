"""Find stations in which the water signal of lean tissue does not fit the fat signal of fat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from mimir_engine.checks.tissue_sample import TissueSample
from mimir_engine.study.finding import Finding

#: Pixels of lean tissue, and of fat, that tell something.
MIN_PIXELS = 40
#: Lean water signal divided by fat signal, of a whole study. T1-weighted gradient echoes with flip
#: angles of 5 to 15 degrees give 0.4 to 1.1 in muscle at 1.5 T and 3 T.
MIN_RATIO, MAX_RATIO = 0.3, 1.6
#: That of a station divided by the median of the others, or the reverse.
MAX_STATION_RATIO = 1.6


def lean_to_fat(tissue: TissueSample) -> Optional[float]:
    """Return the median water signal of lean tissue divided by the median fat signal of fat.

    None if a station shows too little of one.
    """
    if min(np.count_nonzero(tissue.lean), np.count_nonzero(tissue.fatty)) < MIN_PIXELS:
        return None
    lean, fat = np.median(tissue.water[tissue.lean]), np.median(tissue.fat[tissue.fatty])
    return float(lean / fat)


def station_ratios(ratios: Sequence[Optional[float]]) -> list[float]:
    """Return each station's ratio divided by the median of the others; 1 if unknown."""
    relative = []
    for k, ratio in enumerate(ratios):
        others = [r for r in (*ratios[:k], *ratios[k + 1 :]) if r is not None]
        relative.append(ratio / float(np.median(others)) if ratio and others else 1.0)
    return relative


def find_unusual_ratio(tissues: Sequence[TissueSample]) -> list[Finding]:
    """Find stations, or a study, with an unusual ratio of lean to fat signal.

    Args:
        tissues: Pixels of all stations, from the head.
    """
    ratios = [lean_to_fat(tissue) for tissue in tissues]
    known = [ratio for ratio in ratios if ratio is not None]
    whole = float(np.median(known)) if known else 1.0
    remedy = "Look at the images: water and fat must be of one acquisition and of one scale."
    if not MIN_RATIO <= whole <= MAX_RATIO:
        return [
            Finding(
                "SIGNAL_RATIO",
                f"the water signal of lean tissue is {whole:.2g} times the fat signal of fat;"
                f" {MIN_RATIO:g} to {MAX_RATIO:g} is usual",
                remedy=remedy,
                value=whole,
                threshold=MIN_RATIO if whole < MIN_RATIO else MAX_RATIO,
            )
        ]
    return [
        Finding(
            "SIGNAL_RATIO",
            f"the water signal of lean tissue, compared with the fat signal of fat, is"
            f" {relative:.2g} times that of the other stations in station {number} (from the head)",
            remedy=remedy,
            station=number,
            value=relative,
            threshold=MAX_STATION_RATIO if relative > 1 else 1 / MAX_STATION_RATIO,
        )
        for number, relative in enumerate(station_ratios(ratios), 1)
        if not 1 / MAX_STATION_RATIO <= relative <= MAX_STATION_RATIO
    ]
