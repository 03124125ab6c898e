"""Find stations in which the water signal of lean tissue does not fit the fat signal of fat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np

from mimir_engine.checks.signal.air_signal import noise_ratio
from mimir_engine.checks.tissue_sample import TissueSample
from mimir_engine.study.finding import Finding

#: Pixels of lean tissue, and of fat, that tell something.
MIN_PIXELS = 40
#: Lean water signal divided by fat signal, of a whole study. T1-weighted gradient echoes with flip
#: angles of 5 to 15 degrees give 0.4 to 1.1 in muscle at 1.5 T and 3 T.
MIN_RATIO, MAX_RATIO = 0.3, 1.6
#: That of a station divided by the median of the others, or the reverse.
MAX_STATION_RATIO = 1.6
#: Noise of water divided by that of fat, or the reverse, in a whole study: reconstructions may
#: smooth one of them. Phantoms have 0.98 to 1.02.
MAX_NOISE_RATIO = 1.4
#: That of a station divided by the median of the others, or the reverse. Usual
#: phantoms have up to 1.05, obese ones 1.15.
MAX_STATION_NOISE_RATIO = 1.25
_REMEDY = "Look at the images: water and fat must be of one acquisition and of one scale."


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
    """Find stations, or a study, in which water and fat do not have the same scale.

    Args:
        tissues: Pixels of all stations, from the head.
    """
    signal = "the water signal of lean tissue, divided by the fat signal of fat,"
    limits = MIN_RATIO, MAX_RATIO, MAX_STATION_RATIO
    found = _unusual([lean_to_fat(tissue) for tissue in tissues], limits, signal)
    noise = "the noise of water, divided by that of fat,"
    limits = 1 / MAX_NOISE_RATIO, MAX_NOISE_RATIO, MAX_STATION_NOISE_RATIO
    return found or _unusual([noise_ratio(tissue) for tissue in tissues], limits, noise)


def _unusual(
    ratios: Sequence[Optional[float]], limits: tuple[float, float, float], what: str
) -> list[Finding]:
    """Compare the ratio of the study, and then of each station, with its limits."""
    low, high, most = limits
    known = [ratio for ratio in ratios if ratio is not None]
    whole = float(np.median(known)) if known else low
    if not low <= whole <= high:
        sentence = f"{what} is {whole:.2g}; {low:.2g} to {high:.2g} is usual"
        limit = low if whole < low else high
        return [Finding("SIGNAL_RATIO", sentence, remedy=_REMEDY, value=whole, threshold=limit)]
    return [
        Finding(
            "SIGNAL_RATIO",
            f"{what} is {relative:.2g} times that of the other stations in station {number} (from"
            " the head)",
            remedy=_REMEDY,
            station=number,
            value=relative,
            threshold=most if relative > 1 else 1 / most,
        )
        for number, relative in enumerate(station_ratios(ratios), 1)
        if not 1 / most <= relative <= most
    ]
