"""What differs between bodies of population 2 beyond a person's traits: pose, bends, signals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.population import stream
from mimir_engine.phantom.shift import SHIFTS, Shift


@dataclass(frozen=True)
class Build:
    """Pose and signals of one body.

    Attributes:
        bend: Sideways bend of the spine (mm), of the thoracic and of the lumbar curve.
        elbow_lift: Height of the right and left elbow above the table (mm).
        arms_up: 0: arms beside the trunk; 1: stretched over the head.
        water: Factor of the water signal of all tissues.
        clutter: Seed of variation that is not measured.
    """

    bend: tuple[float, float]
    elbow_lift: tuple[float, float]
    arms_up: float
    water: float
    clutter: int

    def curve_mm(self, level: np.ndarray) -> np.ndarray:
        """Sideways displacement of the trunk's middle at each level (mm)."""
        upper = np.exp(-(((level - 0.72) / 0.06) ** 2))
        lower = np.exp(-(((level - 0.60) / 0.05) ** 2))
        return np.asarray(self.bend[0] * upper + self.bend[1] * lower)


def draw_build(seed: int, shift: Shift = SHIFTS["none"]) -> Build:
    """Draw pose and signals of the body with this seed."""
    rng = stream("build", seed)
    bend = rng.normal(0.0, 3.0)
    bend += shift.bend_mm * (1 if bend > 0 else -1)
    return Build(
        bend=(bend, -bend * rng.uniform(0.2, 1.0)),
        elbow_lift=(rng.uniform(0, 45), rng.uniform(0, 45)),
        arms_up=shift.arms_up,
        water=float(np.clip(np.exp(rng.normal(0.0, 0.05)), 0.9, 1.1)) * shift.water,
        clutter=int(rng.integers(2**31)),
    )
