"""Bones: rods and plates, dark outside, marrow inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Optional, Union

import numpy as np

from mimir_engine.phantom.anatomy.columns import TABLE_Y_MM, Columns
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import patient_z
from mimir_engine.phantom.smooth_body.shapes import Rod
from mimir_engine.phantom.smooth_body.surface import Arm, Part

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Plate:
    """A flat bone between two edges; each edge is a line of points that go up.

    In a slice it is a rod from one edge to the other, with a radius at each.
    """

    inner: tuple[Point, ...]
    outer: tuple[Point, ...]
    radius_inner: float
    radius_outer: float

    @property
    def low(self) -> float:
        """Patient z of its lower end."""
        return self.inner[0][2]

    @property
    def high(self) -> float:
        """Patient z of its upper end."""
        return self.inner[-1][2]

    def at(self, z: float) -> Rod:
        """Cut it."""
        ends = []
        for edge in (self.inner, self.outer):
            x, y, heights = zip(*edge)
            ends.append((float(np.interp(z, heights, x)), float(np.interp(z, heights, y)), z))
        return Rod(ends[0], ends[1], self.radius_inner, self.radius_outer)


@dataclass(frozen=True)
class Bone:
    """A bone's shape, the thickness of its dark cortex (mm), and its marrow."""

    shape: Union[Rod, Plate]
    cortex: float
    marrow: str = "marrow"

    def at(self, z: float) -> Optional[Rod]:
        """Cut it with a slice; None if it does not reach there."""
        if not self.shape.low < z < self.shape.high:
            return None
        return self.shape.at(z) if isinstance(self.shape, Plate) else self.shape

    def inside(self, rod: Rod) -> Rod:
        """The marrow of a cut."""
        return replace(
            rod,
            radius_start=rod.radius_start - self.cortex,
            radius_end=rod.radius_end - self.cortex,
        )


def hip_joint(p: Person, side: float) -> Point:
    """Centre of the right (-1) or left (+1) femoral head (LPS mm)."""
    y = TABLE_Y_MM - 92.0 * p.frame - 0.35 * p.subcutaneous
    return side * 87.0 * p.frame, y, patient_z(p.crotch_level + 0.047, p)


def skeleton(
    c: Columns, spine_y: np.ndarray, trunk: Part, legs: Sequence[Part], arms: Sequence[Arm]
) -> tuple[Bone, ...]:
    """Build pelvis, legs, arms and shoulder girdle, in the order they are painted."""
    bones = [_sacrum(c, spine_y)]
    for side, leg, arm in zip((-1.0, 1.0), legs, arms):
        bones += _pelvis(c, spine_y, side)
        bones += _femur(c, leg, side)
        bones += _knee(c, leg, side)
        bones += _arm(c, arm, side)
        bones += _girdle(c, trunk, arm.flesh[0].start, side)
    return tuple(bones)


def _at(c: Columns, table: np.ndarray, level: float) -> float:
    return float(np.interp(level, c.level, table))


def _sacrum(c: Columns, spine_y: np.ndarray) -> Bone:
    p, f = c.person, c.person.frame
    top = (0.0, _at(c, spine_y, 0.56) + 8, patient_z(0.562, p))
    end = (0.0, hip_joint(p, 1.0)[1] + 50 * f, patient_z(p.crotch_level + 0.045, p))
    return Bone(Rod(top, end, 30 * f, 9 * f), 1.5, "red marrow")


def _pelvis(c: Columns, spine_y: np.ndarray, side: float) -> list[Bone]:
    p, f, crotch = c.person, c.person.frame, c.person.crotch_level
    x, y, z = hip_joint(p, side)
    x = abs(x)
    back = _at(c, spine_y, 0.555)

    def point(across: float, behind: float, level: float) -> Point:
        return side * across, behind, patient_z(level, p)

    def rod(start: Point, end: Point, first: float, last: float) -> Bone:
        return Bone(Rod(start, end, first * f, last * f), 2.0, "red marrow")

    levels = crotch + np.array([0.060, 0.085, 0.105, 0.122])
    inner = [point((44 + 3 * i) * f, back + 14 + 2 * i, lv) for i, lv in enumerate(levels)]
    reach = zip(levels, (100.0, 116.0, 124.0, 112.0), (-10.0, -26.0, -22.0, 2.0))
    outer = [point(across * f, y + behind * f, level) for level, across, behind in reach]
    wing = Plate(tuple(inner), tuple(outer), 8.0 * f, 5.0 * f)
    pubis = point(9.0, y - 30 * f, crotch + 0.032)
    seat = point(56 * f, y + 32 * f, crotch + 0.014)
    return [
        Bone(wing, 1.5, "red marrow"),
        rod((side * (x + 3), y + 4, z + 8), (side * (x - 4), y + 8, z + 22), 31, 24),
        rod((side * (x - 12), y - 16, z - 4), pubis, 12, 9),
        rod((side * (x - 8), y + 18, z - 6), seat, 15, 14),
        rod(pubis, seat, 7, 8),
    ]


def _femur(c: Columns, leg: Part, side: float) -> list[Bone]:
    p, f = c.person, c.person.frame
    head = hip_joint(p, side)
    x = abs(head[0])
    thigh = abs(_at(c, leg.skin.x, p.crotch_level))
    across = side * min(max(thigh + 12 * f, x + 34 * f), x + 56 * f)
    trochanter = (across, head[1] + 6, patient_z(p.crotch_level + 0.030, p))
    below = (across - side * 6, head[1] + 4, patient_z(p.crotch_level, p))
    k = p.knee_level
    end = (_at(c, leg.skin.x, k + 0.05), _at(c, leg.skin.y, k) + 2, patient_z(k + 0.05, p))
    flare = (_at(c, leg.skin.x, k + 0.012), end[1] + 2, patient_z(k + 0.018, p))
    return [
        Bone(Rod(head, trochanter, 15 * f, 17 * f), 2.0),
        Bone(Rod(trochanter, below, 18 * f, 14.5 * f), 3.0),
        Bone(Rod(below, end, 14 * f, 14 * f), 6 * f),
        Bone(Rod(end, flare, 14 * f, 32 * f), 2.5),
        Bone(Rod(head, head, 23.5 * f, 23.5 * f), 1.5),
    ]


def _knee(c: Columns, leg: Part, side: float) -> list[Bone]:
    p, f = c.person, c.person.frame
    x, y = _at(c, leg.skin.x, p.knee_level), _at(c, leg.skin.y, p.knee_level)
    z = patient_z(p.knee_level, p)
    fibula = side * 30 * f

    def rod(start: Point, end: Point, first: float, last: float, cortex: float = 1.5) -> Bone:
        lower, upper = ((x + a, y + b, z + up) for a, b, up in (start, end))
        return Bone(Rod(lower, upper, first * f, last * f), cortex)

    return [
        rod((-19 * f, -6, 22), (-19 * f, 14, 22), 20, 19),
        rod((19 * f, -6, 22), (19 * f, 14, 22), 20, 19),
        rod((-20 * f, 4, -17), (20 * f, 4, -17), 15.5, 15.5),
        rod((0.0, 2, -23), (0.0, -2, -67), 27, 15, 2.5),
        rod((0.0, -2, -57), (0.0, 0, -340), 14, 12, 5.0),
        rod((fibula, 18, -31), (0.9 * fibula, 16, -320), 8, 7, 2.5),
        rod((0.0, -43 * f, 34), (0.0, -41 * f, 18), 10, 9),
    ]


def _arm(c: Columns, arm: Arm, side: float) -> list[Bone]:
    """The humerus with its head, and one bone for the two of the forearm."""
    f = c.person.frame
    x, y, z = shoulder = arm.flesh[0].start
    elbow, wrist = arm.flesh[1].start, arm.flesh[1].end
    return [
        Bone(Rod(shoulder, elbow, 11 * f, 12 * f), 3.5),
        Bone(Rod((x - side * 12, y, z + 6), shoulder, 22 * f, 20 * f), 3.5),
        Bone(Rod(elbow, wrist, 11 * f, 8 * f), 3.5),
    ]


def _girdle(c: Columns, trunk: Part, shoulder: Point, side: float) -> list[Bone]:
    """Collar bone and shoulder blade."""
    p, f, s = c.person, c.person.frame, c.person.shoulder_level
    across = abs(shoulder[0])
    chest = _at(c, trunk.skin.y - trunk.skin.front + trunk.ahead, s - 0.03)
    behind = _at(c, trunk.skin.y + trunk.skin.back - trunk.behind, s - 0.05) - 24 * f
    notch = (side * 16.0, chest + 14, patient_z(s - 0.018, p))
    acromion = (side * (across - 4), shoulder[1] + 6, shoulder[2] + 30 * f)
    levels = [s - 0.105, s - 0.07, s - 0.03]
    inner = [(side * a * f, behind, patient_z(lv, p)) for a, lv in zip((84, 74, 70), levels)]
    outer = [
        (side * a * f, b, patient_z(lv, p))
        for a, b, lv in zip(
            (96, 128, across / f - 28), (behind - 4, behind - 12, shoulder[1] + 14), levels
        )
    ]
    return [
        Bone(Rod(notch, acromion, 7.5 * f, 7 * f), 2.0),
        Bone(Plate(tuple(inner), tuple(outer), 4.0 * f, 6.0 * f), 2.0, "red marrow"),
    ]
