"""Add the outlines of the trunk, crotch to crown: skin, muscle wall and abdominal cavity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import TABLE_Y_MM, Columns, Ellipses, smooth
from mimir_engine.phantom.anatomy.limbs import LEG_DEPTH, thigh_mm
from mimir_engine.phantom.body import ADIPOSE
from mimir_engine.phantom.population import FEMALE

#: Largest section of the liver in the cavity's unit disc: centre u, v and half-axes.
LIVER_PLACE = (-0.30, -0.12, 0.61, 0.69)
#: Mean over the liver's height of its section, as a share of the largest.
LIVER_FILL = 0.69
#: Depth over width of the upper abdominal cavity.
UPPER_DEPTH = 0.70


@dataclass(frozen=True)
class Trunk:
    """Outlines and levels that the parts of the trunk share.

    Attributes:
        skin: Surface.
        muscle: Inner edge of the subcutaneous fat.
        cavity: Abdominal cavity.
        muscle_index: Column of the muscle, which contains all organs.
        pelvic_floor: Level of the cavity's lower end.
        liver_edge: Level of the liver's lower end.
    """

    skin: Ellipses
    muscle: Ellipses
    cavity: Ellipses
    muscle_index: int
    pelvic_floor: float
    liver_edge: float


@dataclass(frozen=True)
class _Cavity:
    """Half-axes (mm) of the abdominal cavity over the heights, its ends still open."""

    a: np.ndarray
    b: np.ndarray
    floor: float
    liver_edge: float

    def at(self, c: Columns, level: float) -> tuple[float, float]:
        """Interpolate the half-axes at a level."""
        return float(np.interp(level, c.level, self.a)), float(np.interp(level, c.level, self.b))


def add_trunk(c: Columns) -> Trunk:
    """Add skin and muscle of the trunk, neck and head; returns their outlines."""
    p = c.person
    cavity = _cavity(c)
    back = 50.0 * p.frame * p.muscle**0.4
    half_x, half_y = _muscle_half_x(c, cavity), _muscle_half_y(c, cavity, back)
    side, ahead, behind = fat_curves(c)
    s = p.shoulder_level
    lift = c.curve(
        [(0.45, 0.0), (s - 0.01, 0.0), (s + 0.03, 26.0), (0.88, 20.0), (0.94, 0.0), (1.0, 40.0)]
    )
    skin_b = half_y + (ahead + behind) / 2
    zero = np.zeros_like(c.h)
    skin = Ellipses(zero, TABLE_Y_MM - skin_b - lift, half_x + side, skin_b)
    muscle = Ellipses(zero, skin.y + (ahead - behind) / 2, half_x, half_y)
    above = c.between(p.crotch_level, 2.0)
    skin_index = c.add("trunk skin", ADIPOSE, None, skin.times(above))
    muscle_index = c.add("trunk muscle", c.muscle_tissue, skin_index, muscle.times(above))
    ends = closing(c, cavity.floor, p.dome_level)
    a, b = cavity.a * ends, cavity.b * ends
    # The spine has its place behind the cavity: `back` lies between the two backs.
    y = np.minimum(muscle.y + muscle.b - back - np.maximum(b, 1.0), muscle.y)
    return Trunk(
        skin, muscle, Ellipses(zero, y, a, b), muscle_index, cavity.floor, cavity.liver_edge
    )


def closing(c: Columns, bottom: float, top: float) -> np.ndarray:
    """Profile that rounds the two ends of a cavity: 0 beyond them, 1 well inside."""
    low = np.sqrt(1.0 - np.clip(1.0 - (c.level - bottom) / 0.03, 0.0, 1.0) ** 2)
    high = np.sqrt(1.0 - np.clip(1.0 - (top - c.level) / 0.025, 0.0, 1.0) ** 2)
    return low * high


def _cavity(c: Columns) -> _Cavity:
    """Size the cavity for the liver above and for its other contents below."""
    p = c.person
    floor = p.crotch_level + 0.028
    liver_mm = 158.0 * (p.liver / 1.5) ** 0.35 * (p.height / 1700.0) ** 0.6
    edge = p.dome_level - liver_mm / p.height
    section = p.liver * 1e6 / (liver_mm * LIVER_FILL * np.pi * LIVER_PLACE[2] * LIVER_PLACE[3])
    upper = float(np.sqrt(section / UPPER_DEPTH))
    pelvis = ((floor - 0.02, 0.62), (floor + 0.02, 0.80), (0.565, 0.97))
    shape = c.curve([*pelvis, (edge - 0.01, 1.0)])
    depth = p.belly_depth
    unit = shape * c.between(floor, edge) * closing(c, floor, edge)
    room = c.volume_l(Ellipses(unit, unit, unit, depth * unit))
    lower = float(np.sqrt((p.visceral * 0.95 + p.bowel) / room))
    a = c.curve(
        [
            *((level, share * lower) for level, share in pelvis),
            *((edge - 0.02, lower), (edge + 0.025, upper), (p.dome_level, upper)),
        ]
    )
    b = a * c.curve([(edge - 0.01, depth), (edge + 0.02, UPPER_DEPTH)])
    return _Cavity(a, b, floor, edge)


def _muscle_half_x(c: Columns, cavity: _Cavity) -> np.ndarray:
    """Half-width (mm) of the trunk inside its subcutaneous fat; of the skull in the head."""
    p = c.person
    f, m, s, dome = p.frame, p.muscle, p.shoulder_level, p.dome_level
    wall = 13.0 * f * m + 9.0
    thigh, thigh_fat = thigh_mm(p)
    hip = 2.0 * (thigh + thigh_fat) + 1.5 - thigh_fat
    edge = cavity.liver_edge

    def around(level: float) -> float:
        return cavity.at(c, level)[0] + wall

    waist, ribs = around(0.60), around(dome - 0.02)
    chest = 124.0 * f * m**0.3
    shoulder = (144.0 if p.sex == FEMALE else 152.0) * f * m**0.35
    neck = f * m**0.2
    pelvis = (
        (p.crotch_level, hip),
        (cavity.floor, hip * 1.01),
        (0.55, max(0.93 * hip, around(0.55))),
    )
    abdomen = (
        *((0.60, waist), (edge, max(around(edge), 0.5 * (waist + ribs)))),
        *((edge + 0.02, around(edge + 0.02)), (dome - 0.02, ribs)),
    )
    thorax = (
        *((dome + 0.03, max(chest, 0.5 * (chest + ribs))), (0.775, 1.07 * chest)),
        *((s - 0.012, shoulder), (s + 0.004, 0.86 * shoulder)),
    )
    head = (
        *((s + 0.022, 58.0 * f + 6 * m), (s + 0.035, 50.0 * neck), (0.868, 49.0 * neck)),
        *((0.89, 64.0), (0.94, 74.0), (0.985, 52.0), (1.0, 8.0)),
    )
    outline = c.curve([*pelvis, *abdomen, *thorax, *head])
    needed = smooth((cavity.a + 0.8 * wall) * c.between(cavity.floor, dome))
    return np.maximum(outline, needed)


def _muscle_half_y(c: Columns, cavity: _Cavity, back: float) -> np.ndarray:
    """Half-depth (mm), as ``_muscle_half_x``; ``back`` lies behind the cavity, little before."""
    p = c.person
    f, m, s, dome = p.frame, p.muscle, p.shoulder_level, p.dome_level
    walls = (9.0 * m + back) / 2
    leg = thigh_mm(p)[0] * LEG_DEPTH
    edge = cavity.liver_edge
    waist, ribs = cavity.at(c, 0.60)[1] + walls, cavity.at(c, dome - 0.02)[1] + walls
    lower = (
        *((p.crotch_level, leg), (cavity.floor, 1.06 * leg), (0.55, max(waist * 0.97, leg))),
        *((0.60, waist), (edge, max(cavity.at(c, edge)[1] + walls, (waist + ribs) / 2))),
    )
    upper = (
        *((dome - 0.02, ribs), (dome + 0.04, 0.5 * (ribs + 96 * f)), (0.775, 90 * f)),
        *((s - 0.012, 66 * f * m**0.2), (s + 0.022, 56 * f), (s + 0.035, 53.0 * f)),
        *((0.868, 55 * f), (0.90, 80.0), (0.94, 95.0), (0.985, 68.0), (1.0, 8.0)),
    )
    needed = smooth((cavity.b + walls) * c.between(cavity.floor, dome))
    return np.maximum(c.curve([*lower, *upper]), needed)


def fat_curves(c: Columns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thickness (mm) of subcutaneous fat at the sides, in front and behind."""
    p = c.person
    t, s, crotch = p.subcutaneous, p.shoulder_level, p.crotch_level
    thigh_fat = thigh_mm(p)[1]
    neck = ((s + 0.03, 3.0 + 0.16 * t), (0.88, 4.0))
    side = (
        *((crotch, thigh_fat), (0.52, 0.95 * t * p.hip_fat), (0.56, 0.9 * t), (0.62, 0.85 * t)),
        *((0.70, 0.60 * t), (0.78, 0.45 * t), (s, 0.30 * t + 2)),
    )
    ahead = (
        *((crotch, thigh_fat), (0.52, 0.9 * t)),
        *((0.57, t * p.front_fat), (0.62, 0.95 * t * p.front_fat)),
        *((0.70, 0.55 * t), (0.78, 0.4 * t), (s, 0.35 * t)),
    )
    behind = (
        *((crotch, 1.15 * thigh_fat), (0.51, 1.35 * t * p.hip_fat), (0.57, 0.9 * t)),
        *((0.70, 0.55 * t), (0.78, 0.5 * t), (s, 0.45 * t)),
    )
    return c.curve([*side, *neck]), c.curve([*ahead, *neck]), c.curve([*behind, *neck])
