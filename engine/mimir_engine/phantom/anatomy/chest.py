"""Add the organs of the chest, the breasts, and the contents of neck and head."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.anatomy.columns import Columns, Ellipses
from mimir_engine.phantom.anatomy.trunk import Trunk
from mimir_engine.phantom.body import ADIPOSE, AIR, BLOOD, BRAIN, LUNG


def add_chest(c: Columns, trunk: Trunk) -> None:
    """Add lungs, heart with its fat, aorta, airway, brain and, in women, breasts."""
    p = c.person
    inside, within = trunk.muscle, trunk.muscle_index
    low = p.dome_level + 0.003
    lung = _lung_profile(c, low, p.shoulder_level + 0.004)
    more = p.asymmetry[2]
    c.add("lung", LUNG, within, inside.part(-0.50, -0.06, 0.335 * (1 + more), 0.66, lung))
    c.add("lung", LUNG, within, inside.part(0.54, -0.06, 0.285 * (1 - more), 0.66, lung))
    heart = inside.part(0.05, -0.30, 0.19, 0.42, c.bulge(low + 0.036, 0.033))
    fat = c.add("heart fat", ADIPOSE, within, heart)
    c.add("heart", BLOOD, fat, heart.times(1.0 - 0.08 * (p.visceral / 3.0) ** 0.5))
    aorta = 10.0 * p.frame * c.between(low, p.shoulder_level - 0.01)
    c.add("aorta", BLOOD, within, inside.spot(0.08, 0.22, aorta, aorta))
    airway = p.frame * c.between(p.shoulder_level - 0.02, 0.885)
    c.add("airway", AIR, within, inside.spot(0.0, -0.42, 8.5 * airway, 7.5 * airway))
    c.add("brain", BRAIN, within, inside.part(0.0, 0.0, 0.86, 0.86, c.bulge(0.945, 0.05)))
    if p.breast:
        _add_breasts(c, trunk.skin)


def _lung_profile(c: Columns, low: float, high: float) -> np.ndarray:
    """Profile of a lung: flat on the diaphragm, then upright, then narrowing to the apex."""
    base = np.clip((c.level - low) / 0.006, 0.0, 1.0) ** 0.5
    rising = np.clip((c.level - low - 0.05) / (high - low - 0.05), 0.0, 1.0)
    return base * np.sqrt(1.0 - rising**2.5) * c.between(low, high)


def _add_breasts(c: Columns, skin: Ellipses) -> None:
    p = c.person
    size = p.breast * c.bulge(p.dome_level + 0.045, 0.00055 * p.breast + 0.012)
    x, width, depth = 0.52 * skin.a, size, 0.62 * size
    # As far back as they can lie without meeting the curved skin behind them.
    t = np.linspace(-1.0, 1.0, 17)[:, None]
    u = np.clip((x + t * width) / skin.a, -1.0, 1.0)
    y = skin.y - skin.b * np.sqrt(1.0 - u * u) - depth * np.sqrt(1.0 - t * t)
    for side in (-1.0, 1.0):
        c.add("breast", ADIPOSE, None, Ellipses(side * x, y.min(axis=0), width, depth))
