"""Compare in-phase and opposed-phase slices with water and fat of the same place.

In-phase is the sum of water and fat, opposed-phase the size of their difference. Both stay the same
if water and fat are exchanged: they tell only that the four images belong together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.checks.station_place import station_place
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station

#: Distance of compared rows and columns, in pixels.
STEP = 4
#: Pixels of a slice that are compared at least.
MIN_PIXELS = 60
#: Part of a slice's signal that water and fat do not explain, as a share of it. Slices of another
#: place, or mirrored ones, leave 0.3 to 0.7 in phantoms.
MAX_RESIDUAL = 0.25
#: Scale of water in the in-phase image divided by that of fat, or the reverse. Fat has several
#: peaks, and both decay: 0.8 to 1.25 is usual.
MAX_SCALES = 1.35
#: Stands for scales of which one is not positive.
FAR_APART = 100.0


@dataclass(frozen=True)
class PhaseMatch:
    """How well one in-phase or opposed-phase slice fits to water and fat.

    Attributes:
        contrast: In-phase or opposed-phase.
        index: The slice.
        residual: Root mean square of what does not fit, divided by that of the signal.
        scales: Scale of water divided by that of fat; 1 if one of them is hardly there.
    """

    contrast: Contrast
    index: int
    residual: float
    scales: float


def phase_matches(station: Station) -> list[PhaseMatch]:
    """Compare the in-phase and opposed-phase slices of a station with its water and fat."""
    matches = []
    for contrast, slices in station.phases.items():
        for index, image in slices.items():
            water, fat, phase = (
                part[::STEP, ::STEP].astype(np.float64)
                for part in (station.water[index], station.fat[index], image)
            )
            body = water + fat > (water + fat).mean()
            if np.count_nonzero(body) >= MIN_PIXELS:
                match = _match(contrast, water[body], fat[body], phase[body])
                matches.append(PhaseMatch(contrast, index, *match))
    return matches


def _match(
    contrast: Contrast, water: np.ndarray, fat: np.ndarray, phase: np.ndarray
) -> tuple[float, float]:
    """Fit scales of water and fat by least squares; return residual and ratio of scales."""
    signed = phase
    if contrast is Contrast.OPPOSED_PHASE:  # its sign is that of water - fat
        fat = -fat
        signed = phase * np.sign(water + fat)
    ww, ff, wf = water @ water, fat @ fat, water @ fat
    determinant = ww * ff - wf * wf
    power = float(phase @ phase)
    if determinant <= 1e-6 * ww * ff or power == 0:
        return (0.0 if power else 1.0), 1.0
    of_water = (ff * (water @ signed) - wf * (fat @ signed)) / determinant
    of_fat = (ww * (fat @ signed) - wf * (water @ signed)) / determinant
    left = signed - of_water * water - of_fat * fat
    residual = float(np.sqrt((left @ left) / power))
    if min(of_water, of_fat) <= 0:
        return residual, FAR_APART
    return residual, float(np.clip(of_water / of_fat, 1 / FAR_APART, FAR_APART))


def find_incoherent_contrasts(station: Station, number: Optional[int]) -> list[Finding]:
    """Find a station whose four images do not belong together.

    Args:
        station: The station; only its in-phase and opposed-phase slices are looked at.
        number: Its number, from the head; None if it is a fused volume.
    """
    matches = phase_matches(station)
    if not matches:
        return []
    where = station_place(number)
    remedy = "Check that all four images are of one acquisition, in their original scaling."
    worst = max(matches, key=lambda match: match.residual)
    if worst.residual > MAX_RESIDUAL:
        z = station.affine[2, 3] + worst.index * station.spacing_mm[2]
        what = "sum" if worst.contrast is Contrast.IN_PHASE else "difference"
        return [
            Finding(
                "CONTRASTS_INCOHERENT",
                f"the {worst.contrast.value} image of {where} is not the {what} of water and fat at"
                f" z = {z:.0f} mm: {worst.residual:.0%} of its signal does not fit",
                remedy=remedy,
                station=number,
                value=100 * worst.residual,
                threshold=100 * MAX_RESIDUAL,
                unit="%",
            )
        ]
    scales = float(np.median([match.scales for match in matches]))
    if 1 / MAX_SCALES <= scales <= MAX_SCALES:
        return []
    return [
        Finding(
            "CONTRASTS_INCOHERENT",
            f"water and fat of {where} have different scales in the in-phase and opposed-phase"
            f" images: {scales:.2g} to 1",
            remedy=remedy,
            station=number,
            value=scales,
            threshold=MAX_SCALES if scales > 1 else 1 / MAX_SCALES,
        )
    ]
