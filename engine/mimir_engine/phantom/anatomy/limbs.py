"""Add legs from the sole to the crotch, and arms beside the trunk."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.anatomy.columns import STEP_MM, TABLE_Y_MM, Columns, Ellipses
from mimir_engine.phantom.body import ADIPOSE, ARM_MARROW, CORTICAL_BONE, FEMUR_MARROW
from mimir_engine.phantom.population import Person

#: Depth over width of a leg, and of an arm.
LEG_DEPTH, ARM_DEPTH = 1.12, 1.05
#: Gap between the thighs at the crotch (mm).
CROTCH_GAP_MM = 1.5


def thigh_mm(person: Person) -> tuple[float, float]:
    """Compute half-width of the thigh's muscle and thickness of its fat at the crotch."""
    return (
        74.0 * person.frame**0.5 * person.muscle**0.5,
        0.85 * person.subcutaneous * person.hip_fat,
    )


def add_legs(c: Columns) -> None:
    """Add both legs: skin, muscle with a layer of fat inside, bone and marrow."""
    p = c.person
    below = c.between(-1.0, p.crotch_level)
    muscle, fat, gap = leg_curves(c)
    bone, shell = _leg_bone(c)
    knee = p.knee_level + 0.03
    layer = below * c.bulge((knee + p.crotch_level) / 2, 0.5 * (p.crotch_level - knee))
    for side in (-1.0, 1.0):
        half = muscle * (1.0 - side * p.asymmetry[0] * 0.5)
        outer = half + fat
        x, y = side * (outer + gap / 2), TABLE_Y_MM - outer * LEG_DEPTH - 2.0
        skin = Ellipses(x, y, outer * below, LEG_DEPTH * outer * below)
        flesh = Ellipses(x, y, half * below, LEG_DEPTH * half * below)
        skin_index = c.add("leg skin", ADIPOSE, None, skin)
        flesh_index = c.add("leg muscle", c.muscle_tissue, skin_index, flesh)
        thin = (0.02 + 0.6 * p.muscle_fat) * half * layer
        between = Ellipses(x + side * 0.1 * half, y + 0.55 * half, 0.55 * half * layer, thin)
        c.add("intermuscular fat", ADIPOSE, flesh_index, between)
        cortex = Ellipses(x, y - 0.05 * half, bone * below, bone * below)
        marrow = Ellipses(x, cortex.y, (bone - shell) * below, (bone - shell) * below)
        c.add("bone", FEMUR_MARROW, c.add("bone", CORTICAL_BONE, flesh_index, cortex), marrow)


def leg_curves(c: Columns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute half-width of the muscle, thickness of the fat, and gap between the legs (mm)."""
    p = c.person
    thigh, thigh_fat = thigh_mm(p)
    k, f, crotch = p.knee_level, p.frame, p.crotch_level
    calf = ((0.0, 26 * f), (0.03, 22 * f), (0.06, 25 * f), (0.19, 0.70 * thigh))
    knee = ((k - 0.03, 45 * f), (k, 48 * f), (k + 0.03, 0.30 * thigh + 28 * f))
    muscle = c.curve([*calf, *knee, (k + 0.09, 0.86 * thigh), (crotch, thigh)])
    fat = c.curve(
        [
            *((0.0, 2.0), (0.10, 0.12 * thigh_fat + 2), (0.2, 0.3 * thigh_fat)),
            *((k, 0.22 * thigh_fat + 2), (k + 0.08, 0.60 * thigh_fat), (crotch, thigh_fat)),
        ]
    )
    gap = c.curve([(0.0, 1.6 * p.leg_gap), (k, p.leg_gap), (crotch, CROTCH_GAP_MM)])
    return muscle, fat, gap


def _leg_bone(c: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Compute the radius of the bone, widest in the knee, and thickness of its dark cortex (mm)."""
    p = c.person
    k, f = p.knee_level, p.frame
    radius = c.curve(
        [
            *((0.0, 14 * f), (0.2, 13 * f), (k - 0.025, 30 * f), (k + 0.01, 33 * f)),
            *((k + 0.05, 15 * f), (p.crotch_level, 14.0 * f)),
        ]
    )
    cortex = c.curve(
        [(0.0, 3.0), (0.2, 5.0), (k - 0.02, 2.0), (k + 0.02, 2.0), (k + 0.07, 6.0 * f)]
    )
    return radius, cortex


def add_arms(c: Columns, trunk_skin: Ellipses) -> None:
    """Add both arms, from the shoulders to hands beside the thighs."""
    p = c.person
    s, t = p.shoulder_level, p.subcutaneous
    hand = 0.42
    present = c.between(hand, s)
    forearm = ((hand, 12.0), (0.46, 26.0), (0.50, 22.0), (0.56, 30.0))
    upper_arm = ((0.62, 33.0), (0.70, 37.0), (0.77, 42.0), (s - 0.012, 40.0), (s, 16.0))
    muscle = p.frame * p.arm * p.muscle**0.5 * c.curve([*forearm, *upper_arm])
    fat = c.curve(
        [(hand, 1.0), (0.50, 2.0), (0.62, 0.22 * t + 2), (0.74, 0.34 * t + 2), (s, 0.30 * t)]
    )
    clear = _arm_clearance(c, trunk_skin)
    for side in (-1.0, 1.0):
        half = muscle * (1.0 - side * p.asymmetry[1])
        outer = half + fat
        x, y = side * (clear + outer), TABLE_Y_MM - 1.1 * outer - 14.0
        parent = None
        for name, tissue, r, depth in (
            ("arm skin", ADIPOSE, outer, ARM_DEPTH),
            ("arm muscle", c.muscle_tissue, half, ARM_DEPTH),
            ("arm bone", CORTICAL_BONE, 0.30 * half, 1.0),
            ("arm bone", ARM_MARROW, 0.18 * half, 1.0),
        ):
            parent = c.add(name, tissue, parent, Ellipses(x, y, r * present, depth * r * present))


def _arm_clearance(c: Columns, trunk_skin: Ellipses) -> np.ndarray:
    """Compute x of an arm's inner side (mm): straight, beside the widest part of the trunk."""
    p = c.person
    leg_edge = 2 * sum(thigh_mm(p)) + CROTCH_GAP_MM
    beside = np.where(c.level >= p.crotch_level, trunk_skin.a, leg_edge)
    span = int(0.07 * p.height / STEP_MM)
    window = 2 * span + 1
    padded = np.pad(beside, 2 * span, mode="edge")
    widest = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
    return np.convolve(widest, np.full(window, 1.0 / window), mode="valid") + p.arm_gap
