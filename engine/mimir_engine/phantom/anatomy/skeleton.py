"""Add spine, pelvis and kidneys, all in the muscle behind the cavity."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.anatomy.columns import Columns, Ellipses
from mimir_engine.phantom.anatomy.trunk import Trunk
from mimir_engine.phantom.body import FLUID, KIDNEY, RED_MARROW

VERTEBRAE = 24


def add_skeleton(c: Columns, trunk: Trunk) -> None:
    """Add kidneys, vertebrae, spinal canal, femoral heads and iliac wings."""
    f = c.person.frame
    spine = trunk.muscle.y + trunk.muscle.b - 27.0 * f
    _add_kidneys(c, trunk, spine - 3.0 * f)
    _add_spine(c, trunk, spine)
    _add_pelvis(c, trunk)


def _add_kidneys(c: Columns, trunk: Trunk, y: np.ndarray) -> None:
    f = c.person.frame
    for x, level in ((-50.0 * f, 0.608), (50.0 * f, 0.614)):
        profile = c.bulge(level, 0.032)
        shape = Ellipses(np.full_like(y, x), y, 22.0 * f * profile, 17.0 * f * profile)
        c.add("kidney", KIDNEY, trunk.muscle_index, shape)


def _add_spine(c: Columns, trunk: Trunk, y: np.ndarray) -> None:
    """Vertebrae thin towards the neck; the muscle's signal between them stands for the discs."""
    p = c.person
    zero = np.zeros_like(y)
    edges = np.linspace(p.crotch_level + 0.045, 0.875, VERTEBRAE + 1)
    for low, high in zip(edges[:-1], edges[1:]):
        level, half = (low + high) / 2, (high - low) / 2
        thin = float(np.interp(level, [0.55, 0.80, 0.87], [1.0, 0.72, 0.55])) * p.frame
        profile = thin * c.bulge(level, half * 0.96, power=8.0)
        shape = Ellipses(zero, y, 21.0 * profile, 14.0 * profile)
        c.add("vertebra", RED_MARROW, trunk.muscle_index, shape)
    canal = c.between(p.crotch_level + 0.06, 0.88)
    shape = Ellipses(zero, y + 20.0 * p.frame, 7.0 * canal, 4.5 * canal)
    c.add("canal", FLUID, trunk.muscle_index, shape)


def _add_pelvis(c: Columns, trunk: Trunk) -> None:
    """Femoral heads and iliac wings, midway between the cavity's and the muscle's side."""
    p = c.person
    hip = p.crotch_level + 0.047
    x = (trunk.cavity.a + trunk.muscle.a) / 2
    room = trunk.muscle.a - trunk.cavity.a
    head = c.bulge(hip, 0.017) * np.minimum(22.0 * p.frame, 0.42 * room)
    wing = c.bulge(hip + 0.055, 0.028)
    thick = np.clip(0.30 * room, 0.0, 8.0)
    for side in (-1.0, 1.0):
        for a, b in ((head, head), (thick * wing, 20.0 * p.frame * wing)):
            c.add("bone", RED_MARROW, trunk.muscle_index, Ellipses(side * x, trunk.muscle.y, a, b))
