"""Find uneven signal: from side to side, along the body, and between neighbouring stations.

Where two stations overlap they show the same tissue, so that their signals differ by the unevenness
of the coils alone. What both have in common shows in the signal of fat within a station.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from mimir_engine.checks.seam import sample_seam
from mimir_engine.checks.tissue_sample import MIN_BODY_SHARE, TissueSample, body_level
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station

#: Distance of the points compared at a seam, and size of the cells they are averaged in, in mm.
POINTS_MM, CELL_MM = 12.0, 60.0
#: Slices of two stations at one place lie no farther apart, in mm: half a usual distance.
MAX_APART_MM = 2.3
#: Points of a cell, and cells of a seam, that tell something.
MIN_POINTS, MIN_CELLS = 12, 4
#: Largest logarithm of a ratio that counts: edges of the body move.
MAX_LOG = 0.7
#: Mean over all seams of the SD of the logarithm of the ratio between cells. Usual phantoms have
#: 0.02 to 0.067.
MAX_UNEVENNESS = 0.08
#: Pixels of fat of a station that tell something.
MIN_PIXELS = 100
#: Logarithm of the factor of the fat signal from the right to the left of the body. Usual phantoms
#: have up to 0.28.
MAX_SIDEWAYS = 0.4
#: Largest fat signal of a station divided by the smallest.
MAX_ALONG = 2.0


def seam_unevenness(upper: Station, lower: Station) -> Optional[float]:
    """Return how unevenly the signals of two stations differ where they overlap.

    It is the SD over cells of the logarithm of their ratio; None if they share too little.
    """
    seam = sample_seam(upper, lower, POINTS_MM, 0.0)
    if seam is None:
        return None
    apart = np.abs(seam.upper.z_mm[:, np.newaxis] - seam.lower.z_mm)
    pairs = np.flatnonzero(apart.min(axis=0) <= MAX_APART_MM)
    above = seam.upper.signal.sum(axis=0)[apart.argmin(axis=0)[pairs]]
    below = seam.lower.signal.sum(axis=0)[pairs]
    if not len(pairs):
        return None
    both = (above > MIN_BODY_SHARE * body_level(above)) & (
        below > MIN_BODY_SHARE * body_level(below)
    )
    _, row, column = np.nonzero(both)
    ratio = np.log(above[both] / below[both]).astype(np.float64)
    ratio = np.clip(ratio - np.median(ratio), -MAX_LOG, MAX_LOG) if len(ratio) else ratio
    size = int(CELL_MM / POINTS_MM)
    cell = row // size * above.shape[2] + column // size
    points, sums = np.bincount(cell), np.bincount(cell, ratio)
    is_known = points >= MIN_POINTS
    if np.count_nonzero(is_known) < MIN_CELLS:
        return None
    return float(np.std(sums[is_known] / points[is_known]))


def sideways(tissue: TissueSample) -> Optional[float]:
    """Return the logarithm of the factor of the fat signal from the right to the left of the body.

    It is that of a parabola fitted to the fat of a station; None if there is too little.
    """
    _, _, column = np.nonzero(tissue.fatty)
    if len(column) < MIN_PIXELS:
        return None
    signal = np.log(tissue.fat[tissue.fatty].astype(np.float64))
    place = column / max(tissue.fat.shape[2] - 1, 1) - 0.5
    terms = np.stack([np.ones(len(place)), place, place * place])
    # Not as a matrix product, whose libraries start threads. The last term is for fat in one place.
    products = np.einsum("ip,jp->ij", terms, terms) + 1e-6 * len(place) * np.eye(3)
    slope = float(np.linalg.solve(products, np.einsum("ip,p->i", terms, signal))[1])
    return slope * float(np.quantile(place, 0.95) - np.quantile(place, 0.05))


def fat_signals(tissues: Sequence[TissueSample]) -> list[float]:
    """Return the median fat signal of fat of the stations that show enough of it."""
    return [
        float(np.median(tissue.fat[tissue.fatty]))
        for tissue in tissues
        if np.count_nonzero(tissue.fatty) >= MIN_PIXELS
    ]


def find_shading(stations: Sequence[Station], tissues: Sequence[TissueSample]) -> list[Finding]:
    """Find uneven signal in a study.

    Args:
        stations: From head to foot.
        tissues: Their sparse pixels.
    """
    return [*_from_side_to_side(tissues), *_at_seams(stations), *_along(tissues)]


def _from_side_to_side(tissues: Sequence[TissueSample]) -> list[Finding]:
    slopes = [sideways(tissue) or 0.0 for tissue in tissues]
    limit = float(np.exp(MAX_SIDEWAYS))
    return [
        _finding(
            f"the signal of fat in station {number} (from the head) is {factor:.1f} times as large"
            f" at the {side} side as at the other",
            factor,
            limit,
            station=number,
            side=side,
        )
        for number, slope in enumerate(slopes, 1)
        for factor, side in [(float(np.exp(abs(slope))), "left" if slope > 0 else "right")]
        if factor > limit
    ]


def _at_seams(stations: Sequence[Station]) -> list[Finding]:
    seams = [seam_unevenness(*pair) for pair in zip(stations, stations[1:])]
    known = [seam for seam in seams if seam is not None]
    unevenness = float(np.mean(known)) if known else 0.0
    if unevenness <= MAX_UNEVENNESS:
        return []
    sentence = (
        f"where stations overlap, their signals differ unevenly, by {unevenness:.0%} of the signal"
        " on average"
    )
    return [_finding(sentence, 100 * unevenness, 100 * MAX_UNEVENNESS, unit="%")]


def _along(tissues: Sequence[TissueSample]) -> list[Finding]:
    signals = fat_signals(tissues)
    along = max(signals) / min(signals) if signals else 1.0
    if along <= MAX_ALONG:
        return []
    sentence = (
        f"the signal of fat changes along the body: it is {along:.1f} times as large in one station"
        " as in another"
    )
    return [_finding(sentence, along, MAX_ALONG)]


def _finding(sentence: str, value: float, limit: float, **more: Any) -> Finding:
    remedy = "Look at the images: a coil element may have failed, or a correction was left out."
    return Finding("SHADING", sentence, remedy=remedy, value=value, threshold=limit, **more)
