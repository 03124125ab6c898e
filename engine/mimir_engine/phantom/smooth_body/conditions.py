"""What differs between the stations of a scan of population 2: breath, shading, faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.phantom.population import stream
from mimir_engine.phantom.scanner import SLICES
from mimir_engine.phantom.shift import Shift
from mimir_engine.phantom.smooth_body.shapes import Grid, Waves

#: SD of the diaphragm's height between stations (mm), and its usual limit.
BREATH_SD_MM, BREATH_LIMIT_MM = 3.0, 7.0
#: Unevenness of a station's coils beyond their smooth decline (share of the signal).
SHADING = 0.03


@dataclass(frozen=True)
class Conditions:
    """How one station was scanned.

    Attributes:
        breath_mm: Height of the diaphragm above its mean place.
        shading: Uneven sensitivity of the coils.
        unevenness: Its SD, as a share of the signal.
        gain: Factor of the station's signal.
        ghosts: Signal of ghosts along the rows, as a share.
        ghost_rows: Distance of the ghosts.
        metal: Centre (LPS mm) and radius of a void; None without.
    """

    breath_mm: float
    shading: Waves
    unevenness: float
    gain: float
    ghosts: float
    ghost_rows: int
    metal: Optional[tuple[float, float, float, float]]

    def uneven_coils(self, grid: Grid, z: float) -> np.ndarray:
        """Compute the factor of the coils' unevenness in a slice, float32 ``(rows, columns)``."""
        return np.asarray(1 + np.float32(self.unevenness) * self.shading.at(grid, z))


def draw_conditions(
    seed: int, repeat: int, shift: Shift, hip: tuple[float, float, float]
) -> tuple[Conditions, ...]:
    """Draw the conditions of the six stations, head to foot.

    Args:
        seed: Seed of the phantom.
        repeat: Number of the repeat.
        shift: Differences from usual.
        hip: Place of the hip joint that a prosthesis would replace (LPS mm).
    """
    rng = stream("conditions", seed, repeat)
    stepped = int(rng.integers(len(SLICES)))
    louder = rng.random() < 0.5
    moving = rng.uniform(0.5, 1.0, len(SLICES))
    moving[rng.integers(1, 4)] = 1.0
    conditions = []
    for index in range(len(SLICES)):
        breath = np.clip(rng.normal(0.0, BREATH_SD_MM), -BREATH_LIMIT_MM, BREATH_LIMIT_MM)
        breath += shift.breathing_mm * (1 if index % 2 else -1) / 2
        step = shift.step if louder else 1 / shift.step
        conditions.append(
            Conditions(
                breath_mm=float(breath),
                shading=Waves(rng, (700.0, 500.0, 500.0)),
                unevenness=SHADING + shift.shading,
                gain=step if index == stepped else 1.0,
                ghosts=shift.ghosts * float(moving[index]),
                ghost_rows=int(rng.integers(30, 70)),
                metal=(*hip, shift.metal_mm) if shift.metal_mm else None,
            )
        )
    return tuple(conditions)
