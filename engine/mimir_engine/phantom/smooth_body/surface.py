"""The skin and the flesh under its fat: trunk, legs and arms, each with its own layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import TABLE_Y_MM, Columns, smooth
from mimir_engine.phantom.anatomy.limbs import LEG_DEPTH, leg_curves
from mimir_engine.phantom.anatomy.trunk import Trunk, fat_curves
from mimir_engine.phantom.population import FEMALE
from mimir_engine.phantom.scanner import patient_z
from mimir_engine.phantom.smooth_body.build import Build
from mimir_engine.phantom.smooth_body.shapes import Rod
from mimir_engine.phantom.smooth_body.stack import Stack, stack

#: Height (in body heights) over which the trunk rounds off between the legs, and the legs fade
#: into the trunk.
GROIN, HIP = 0.07, 0.085


Point = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """A part with a section at each height, and the thickness of its fat (mm), ``(K,)`` each."""

    skin: Stack
    side: np.ndarray
    ahead: np.ndarray
    behind: np.ndarray


@dataclass(frozen=True)
class Arm:
    """An arm: rods of flesh, shoulder to hand, with the thickness of their fat."""

    flesh: tuple[Rod, ...]
    fat: tuple[float, ...]


def trunk_part(c: Columns, trunk: Trunk, build: Build) -> Part:
    """Shape the trunk from the groin to the crown."""
    p, level = c.person, c.level
    side, ahead, behind = fat_curves(c)
    s, f = p.shoulder_level, p.frame
    chest = chest_mm(c)
    neck = f * p.muscle**0.2
    slope = c.curve(
        [
            *((0.70, 1.02 * chest), (0.76, 1.10 * chest), (s - 0.035, 1.18 * chest)),
            *((s - 0.014, 1.12 * chest), (s + 0.002, 0.88 * chest), (s + 0.016, 80 * f)),
            *((s + 0.034, 60 * neck), (0.868, 55 * neck)),
            *((0.89, 62.0), (0.94, 74.0), (0.985, 52.0), (1.0, 8.0)),
        ]
    )
    upper = _ramp(level, 0.735, 0.775)
    flesh = trunk.muscle.a * (1 - upper) + slope * upper
    depth = 2 * trunk.skin.b
    lift = TABLE_Y_MM - trunk.skin.y - trunk.skin.b
    back = 0.43 * depth
    rising = np.clip((level - p.crotch_level + 0.004) / GROIN, 0, 1)
    closing = np.sin(np.pi / 2 * rising) ** 0.9 * (rising > 0)
    half = (flesh + side) * closing
    y = TABLE_Y_MM - lift - back
    deep = 0.35 + 0.65 * closing
    skin = stack(build.curve_mm(level), y, half, (depth - back) * deep, back * deep, 0.12, 0.55)
    return Part(skin, side, ahead, behind)


def leg_part(c: Columns, side: float) -> Part:
    """Shape the right (-1) or left (+1) leg, from the sole to inside the hip."""
    p = c.person
    muscle, fat, gap = leg_curves(c)
    half = muscle * (1.0 - side * p.asymmetry[0] * 0.5)
    outer = half + fat
    fading = np.sqrt(1 - np.clip((c.level - p.crotch_level) / HIP, 0, 1) ** 2)
    x = side * (outer + gap / 2)
    depth = LEG_DEPTH * outer
    y = TABLE_Y_MM - 2.0 - 0.94 * depth
    skin = stack(x, y, outer * fading, depth * fading, 0.94 * depth * fading, 0.05, 0.25)
    return Part(skin, fat, 0.85 * fat, 1.1 * fat)


def arm(c: Columns, trunk: Part, legs: tuple[Part, Part], side: float, build: Build) -> Arm:
    """Lay the right (-1) or left (+1) arm beside the trunk, or over the head."""
    p = c.person
    s, t, f = p.shoulder_level, p.subcutaneous, p.frame
    thick = f * p.arm * p.muscle**0.5 * (1.0 - side * p.asymmetry[1])
    upper, lower = 2.0 + 0.30 * t, 2.0 + 0.15 * t

    def beside(low: float, high: float) -> float:
        at = (c.level > low) & (c.level < high)
        edges = [side * part.skin.x[at] + part.skin.half[at] for part in (trunk, *legs)]
        return float(np.max(edges))

    def joint(x: float, y: float, level: float) -> Point:
        return side * x, y, patient_z(level, p)

    shoulder = joint(1.10 * chest_mm(c) + 24 * f, TABLE_Y_MM - 66 * f - 0.4 * t, s - 0.036)
    lift = build.elbow_lift[int(side > 0)]
    elbow_y = TABLE_Y_MM - 40 * thick - upper - lift
    elbow = joint(beside(0.60, 0.74) + p.arm_gap + 34 * thick + upper, elbow_y, 0.635)
    wrist_x = beside(0.455, 0.54) + p.arm_gap + 25 * thick + lower
    wrist_y = elbow_y - 8.0 - 0.5 * lift
    wrist, hand = joint(wrist_x, wrist_y, 0.498), joint(wrist_x - 4.0, wrist_y - 4.0, 0.445)
    if build.arms_up:
        elbow, wrist, hand = _raised(shoulder, elbow_y, side, build.arms_up, p.height)
    flesh = (
        Rod(shoulder, elbow, 47 * thick, 34 * thick),
        Rod(elbow, wrist, 36 * thick, 24 * thick),
        Rod(wrist, hand, 25 * thick, 15 * thick),
    )
    return Arm(flesh, (upper, lower, 2.0))


def _raised(
    shoulder: Point, y: float, side: float, share: float, height: float
) -> tuple[Point, Point, Point]:
    """Elbow, wrist and hand of an arm that is raised by a share of half a turn."""
    turn = np.pi * share
    x = abs(shoulder[0]) + 0.17 * height * float(np.sin(turn))
    elbow_z = shoulder[2] - 0.17 * height * float(np.cos(turn))
    wrist_x = x * (1 - 0.5 * share)
    wrist_z = elbow_z + 0.13 * height
    return (
        (side * x, y, elbow_z),
        (side * wrist_x, y - 25.0, wrist_z),
        (side * 0.8 * wrist_x, y - 25.0, wrist_z + 0.05 * height),
    )


def breasts(c: Columns, trunk: Part) -> tuple[Rod, ...]:
    """Lay the breasts on the chest; lying on the back they spread to the sides."""
    p = c.person
    if not p.breast:
        return ()
    level = p.dome_level + 0.040
    at = int(np.argmin(np.abs(c.level - level)))
    half, front = float(trunk.skin.half[at]), float(trunk.skin.front[at])
    radius = 1.15 * p.breast
    rods = []
    for side in (-1.0, 1.0):
        x = 0.56 * half
        y = float(trunk.skin.y[at]) - front * float(np.sqrt(1 - 0.56**2)) + 0.42 * radius
        inner = (side * x, y, patient_z(level, p))
        outer = (side * (x + 0.35 * radius), y + 0.25 * radius, inner[2] - 0.25 * radius)
        rods.append(Rod(inner, outer, 0.9 * radius, radius))
    return tuple(rods)


def chest_mm(c: Columns) -> float:
    """Half-width of the chest's flesh (mm)."""
    return 124.0 * c.person.frame * c.person.muscle**0.3 * (0.96 if c.person.sex == FEMALE else 1.0)


def _ramp(level: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise smoothly from 0 at a level to 1 at another."""
    return smooth(np.clip((level - low) / (high - low), 0.0, 1.0))
