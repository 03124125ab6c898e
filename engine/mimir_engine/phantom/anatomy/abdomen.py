"""Add the abdomen: liver, spleen and stomach above, visceral fat and bowel below."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.anatomy.columns import Columns, Ellipses
from mimir_engine.phantom.anatomy.trunk import LIVER_PLACE, Trunk, closing
from mimir_engine.phantom.body import ADIPOSE, AIR, FLUID, SPLEEN, VISCERA, mixed

#: Slots of loops and lobules in the bowel's unit disc (centre, half-axes); none overlap.
SLOTS = tuple(
    (u, v, 0.25, 0.38) if u == 0.0 else (u, v, 0.20, 0.27)
    for v in (-0.42, 0.42)
    for u in (-0.54, 0.0, 0.54)
)
LAYERS = 6


def add_abdomen(c: Columns, trunk: Trunk) -> None:
    """Add the abdominal cavity and its contents; visceral fat gets the person's volume."""
    p = c.person
    cavity = c.add("cavity", VISCERA, trunk.muscle_index, trunk.cavity)
    omental = _add_upper_organs(c, trunk, cavity)
    _add_bowel(c, trunk, cavity, p.visceral - omental)


def _add_upper_organs(c: Columns, trunk: Trunk, cavity: int) -> float:
    """Add liver, spleen, and the stomach in its fat; returns that fat's volume (L)."""
    p = c.person
    middle = (trunk.liver_edge + p.dome_level) / 2
    half = (p.dome_level - trunk.liver_edge) / 2
    taper = 1.0 - 0.10 * (p.dome_level - c.level) / (2 * half)
    liver = trunk.cavity.part(*LIVER_PLACE, c.bulge(middle, half * 0.985, power=3.0) * taper)
    exact = float(np.sqrt(p.liver / c.volume_l(liver)))
    c.add("liver", mixed(1.0, p.liver_fat), cavity, liver.times(exact))
    lower = middle - 0.1 * half
    spleen = trunk.cavity.part(0.60, 0.47, 0.20, 0.23, c.bulge(lower, 0.55 * half))
    c.add("spleen", SPLEEN, cavity, spleen)
    omentum = trunk.cavity.part(0.655, -0.20, 0.25, 0.34, c.bulge(lower, 0.75 * half, power=4.0))
    volume = c.volume_l(omentum)
    fat = min(0.05 * p.visceral, 0.6 * volume)
    outer = c.add("visceral fat", ADIPOSE, cavity, omentum)
    c.add("stomach", mixed(0.6, 0.03), outer, omentum.times(float(np.sqrt(1.0 - fat / volume))))
    return fat


def _add_bowel(c: Columns, trunk: Trunk, cavity: int, visceral: float) -> None:
    """Add a fatty lining around a bag of bowel, with ``visceral`` L of fat in lining and bag."""
    p = c.person
    rng = np.random.default_rng(p.clutter)
    top = trunk.liver_edge - 0.003
    lining = trunk.cavity.times(0.985).times(closing(c, trunk.pelvic_floor - 0.02, top))
    lining_index = c.add("visceral fat", ADIPOSE, cavity, lining)
    bottom = trunk.pelvic_floor + 0.004
    barrel = lining.times(c.bulge((bottom + top) / 2, (top - bottom) / 2, power=10.0))
    room = c.volume_l(barrel)
    mesenteric = min(p.mesentery * visceral, 0.05 * room)
    wanted = (c.volume_l(lining) - (visceral - mesenteric)) / room
    share = float(np.sqrt(np.clip(wanted, 0.05, 0.97**2)))
    slack = 0.5 * (1.0 - share)
    to_side, to_front = rng.uniform(-0.3, 0.3) * slack, rng.uniform(0.1, 0.6) * slack
    bag = Ellipses(
        to_side * lining.a, lining.y - to_front * lining.b, share * barrel.a, share * barrel.b
    )
    bag_index = c.add("bowel", mixed(0.58, 0.05), lining_index, bag)
    loops_bottom = bottom + 0.05
    bladder = bag.times(c.bulge(loops_bottom - 0.022, 0.02))
    filled = min(float(np.sqrt(p.bladder / c.volume_l(bladder))), 0.85)
    c.add("bladder", FLUID, bag_index, bladder.times(filled))
    lobules = _add_loops(c, bag, bag_index, loops_bottom, top, rng)
    scale = min(float(np.sqrt(mesenteric / sum(map(c.volume_l, lobules)))), 1.0)
    for lobule in lobules:
        c.add("visceral fat", ADIPOSE, bag_index, lobule.times(scale))


def _add_loops(
    c: Columns, bag: Ellipses, bag_index: int, low: float, high: float, rng: np.random.Generator
) -> list[Ellipses]:
    """Add bowel loops in every other slot; returns the places for fat between them."""
    thickness = (high - low) / LAYERS
    lobules = []
    for layer in range(LAYERS):
        level = low + (layer + 0.5) * thickness
        for slot, (u, v, a, b) in enumerate(SLOTS):
            u, v = u + 0.04 * rng.uniform(-1, 1), v + 0.06 * rng.uniform(-1, 1)
            profile = rng.uniform(0.75, 1.0) * c.bulge(level, 0.47 * thickness)
            place = bag.part(u, v, a, b, profile)
            if (slot + layer) % 2 == 0:
                lobules.append(place)
            elif rng.random() < 0.15:
                c.add("loop", AIR, bag_index, place.times(0.6))
            else:
                c.add("loop", mixed(rng.uniform(0.42, 0.85), 0.03), bag_index, place)
    return lobules
