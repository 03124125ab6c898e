"""The cavity of chest and belly, the diaphragm between them, and the organs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import TABLE_Y_MM, Columns, smooth
from mimir_engine.phantom.anatomy.trunk import Trunk
from mimir_engine.phantom.smooth_body.shapes import Grid
from mimir_engine.phantom.smooth_body.stack import Stack, stack
from mimir_engine.phantom.smooth_body.surface import Part

#: Distance (mm) from the back's flesh to the middle of the vertebral bodies, by level.
SPINE_DEPTH = ((0.50, 44.0), (0.56, 58.0), (0.62, 60.0), (0.74, 46.0), (0.81, 44.0), (0.87, 46.0))
#: Level of the diaphragm's right dome above the abdomen's upper end.
DOME = 0.016


@dataclass(frozen=True)
class Diaphragm:
    """Two domes: their height at a point is the higher of two paraboloids."""

    x: float
    y: float
    half: float
    depth: float
    top: tuple[float, float]

    def height(self, grid: Grid) -> np.ndarray:
        """Patient z of the diaphragm over each pixel, ``(rows, columns)``."""
        v = (grid.y - np.float32(self.y)) / np.float32(self.depth)
        domes = []
        for side, top in zip((-1.0, 1.0), self.top):
            u = (grid.x - np.float32(self.x + side * 0.42 * self.half)) / np.float32(self.half)
            domes.append(np.float32(top) - np.float32(125.0) * u * u)
        drop = np.float32(58.0) * (v + np.float32(0.12)) ** 2
        return np.asarray(np.maximum(*domes) - drop)


@dataclass(frozen=True)
class Inside:
    """Stacks of everything inside the trunk's flesh, and where they lie.

    Attributes:
        cavity: Chest and belly in one.
        spine: Vertebral bodies.
        organs: Stacks by tissue, in the order they are painted.
        diaphragm: Between lungs and liver.
    """

    cavity: Stack
    spine: Stack
    diaphragm: Diaphragm
    liver: tuple[Stack, Stack]
    heart: Stack
    chambers: tuple[Stack, Stack]
    mediastinum: Stack
    spleen: Stack
    stomach: Stack
    kidneys: tuple[Stack, Stack]
    psoas: tuple[Stack, Stack]
    colon: tuple[Stack, Stack]
    vessels: tuple[Stack, ...]
    airway: Stack
    bladder: Stack
    rectum: Stack


def fill(c: Columns, trunk: Trunk, part: Part) -> Inside:
    """Place cavity and organs in the trunk's flesh."""
    p, level, f = c.person, c.level, c.person.frame
    skin = part.skin
    front, back = skin.y - skin.front + part.ahead, skin.y + skin.back - part.behind
    cavity = _cavity(c, trunk, part, front, back)
    spine_y = back - f * c.curve(SPINE_DEPTH)
    thin = c.curve([(0.50, 1.1), (0.55, 1.0), (0.68, 0.82), (0.80, 0.66), (0.87, 0.6)]) * f
    spine = stack(skin.x * 1.3, spine_y, 25.0 * thin, 17.0 * thin, 15.0 * thin, 0.1, 0.3)

    dome = p.dome_level + DOME
    at = int(np.argmin(np.abs(level - p.dome_level + 0.01)))
    a, b = float(cavity.half[at]), float((cavity.front + cavity.back)[at] / 2)
    middle_y = float(cavity.y[at])
    x0 = float(cavity.x[at])
    top = p_z(c, dome)
    diaphragm = Diaphragm(x0, middle_y, a, b, (top, top - 14.0))

    def ball(
        x: float, y: float, level0: float, half: float, depth: float, tall: float, tilt: float = 0.0
    ) -> Stack:
        """An ellipsoid around a point; ``tilt`` moves it left with height, mm per mm."""
        profile = c.bulge(level0, tall / p.height)
        shift = tilt * (level - level0) * p.height
        return stack(x + shift, y, half * profile, depth * profile)

    size = (p.liver / 1.5) ** 0.36
    edge = trunk.liver_edge - 0.004
    right_middle, right_half = (edge + dome) / 2, (dome - edge) / 2 + 0.004
    right = c.bulge(right_middle, right_half, 2.6)
    lean_in = 0.10 * (level - right_middle) * p.height
    liver_right = stack(
        x0 - 0.52 * a + lean_in, middle_y + 0.08 * b, 0.60 * a * size * right, 0.80 * b * right,
        0.86 * b * right,
    )  # fmt: skip
    left_middle = dome - 0.036
    left = c.bulge(left_middle, 0.030 * size, 2.4)
    liver_left = stack(
        x0 + 0.06 * a, middle_y - 0.42 * b, 0.56 * a * left, 0.52 * b * left, 0.34 * b * left
    )
    central = p.dome_level - 0.012
    heart = ball(x0 + 20.0 * f, middle_y - 0.30 * b, central + 0.042, 52 * f, 44 * f, 58.0, -0.45)
    chambers = (
        ball(x0 + 36 * f, middle_y - 0.24 * b, central + 0.038, 20 * f, 20 * f, 38.0, -0.5),
        ball(x0 + 2 * f, middle_y - 0.42 * b, central + 0.046, 21 * f, 19 * f, 38.0, -0.3),
    )
    kidney_y = spine_y - 2.0 * f + 0.0 * level
    psoas_level = [(0.485, 0.0), (0.50, 15.0), (0.56, 21.0), (0.60, 15.0), (0.635, 6.0)]
    psoas_half = c.curve(psoas_level) * f * p.muscle**0.5 * c.between(p.crotch_level + 0.02, 0.635)
    psoas_x = f * c.curve([(0.48, 82.0), (0.52, 66.0), (0.57, 46.0), (0.635, 32.0)])
    psoas_y = spine_y + c.curve([(0.48, -62.0), (0.53, -40.0), (0.575, -2.0), (0.635, 4.0)])
    low, high = p.dome_level + 0.0, p.shoulder_level - 0.012
    aorta = 10.5 * f * c.between(0.595, high)
    bladder_mm = (p.bladder * 0.75e6 / np.pi) ** (1 / 3)
    pelvis = int(np.argmin(np.abs(level - p.crotch_level - 0.05)))
    bladder_y = float(front[pelvis]) + 26.0 + bladder_mm
    return Inside(
        cavity=cavity,
        spine=spine,
        diaphragm=diaphragm,
        liver=(liver_right, liver_left),
        heart=heart,
        chambers=chambers,
        mediastinum=stack(
            skin.x + 4.0, cavity.y,
            f * c.curve([(low, 20.0), (0.76, 22.0), (high, 30.0), (0.83, 34.0)])
            * c.between(low - 0.03, high + 0.03),
            cavity.front + 10.0, cavity.back + 10.0, 0.8, 0.8,
        ),
        spleen=ball(x0 + 0.74 * a, middle_y + 0.42 * b, dome - 0.046, 0.19 * a, 0.40 * b, 54.0, -0.12),
        stomach=ball(x0 + 0.42 * a, middle_y - 0.16 * b, dome - 0.052, 0.27 * a, 0.42 * b, 62.0, 0.15),
        kidneys=tuple(
            stack(
                side * 62.0 * f - side * 0.16 * (level - at_level) * p.height + skin.x,
                kidney_y, 28.0 * f * c.bulge(at_level, 0.034, 2.4), 24.0 * f * c.bulge(at_level, 0.034, 2.4),
            )
            for side, at_level in ((-1.0, 0.622), (1.0, 0.629))
        ),
        psoas=tuple(
            stack(skin.x + side * psoas_x, psoas_y, psoas_half, 1.15 * psoas_half)
            for side in (-1.0, 1.0)
        ),
        colon=tuple(
            stack(
                cavity.x + side * 0.80 * cavity.half, cavity.y + 0.12 * (cavity.front + cavity.back),
                c.curve([(0.555, 16.0), (0.57, 25.0), (0.61, 22.0), (0.66, 18.0)])
                * c.between(0.56, 0.632 if side < 0 else 0.655), 21.0,
            )
            for side in (-1.0, 1.0)
        ),
        vessels=(
            stack(skin.x + 9.0, spine_y - 17.0 * thin - 12.0 * f, aorta, aorta),
            stack(
                skin.x - 17.0, spine_y - 17.0 * thin - 11.0 * f,
                12.0 * f * c.between(0.595, dome - 0.01), 9.5 * f,
            ),
        ),
        airway=stack(
            skin.x, c.curve([(high - 0.01, 0.0), (0.87, 0.0)]) + spine_y - 34.0 * f,
            8.5 * f * c.between(high - 0.02, 0.885), 7.5 * f,
        ),
        bladder=ball(0.0, bladder_y, p.crotch_level + 0.05, 1.15 * bladder_mm, bladder_mm, 0.87 * bladder_mm),
        rectum=ball(2.0, bladder_y + bladder_mm + 30.0, p.crotch_level + 0.055, 27.0, 24.0, 62.0),
    )  # fmt: skip


def p_z(c: Columns, level: float) -> float:
    """Patient z (mm) of a level."""
    from mimir_engine.phantom.smooth_body.build import Build

    return Build.top_z(level, c.person)


def _cavity(
    c: Columns, trunk: Trunk, part: Part, front: np.ndarray, back: np.ndarray
) -> Stack:
    """Belly as large as its contents, chest as large as its wall allows."""
    p, level, f = c.person, c.level, c.person.frame
    edge, apex = trunk.liver_edge, p.shoulder_level + 0.010
    chest = smooth(np.clip((level - edge + 0.01) / 0.04, 0.0, 1.0))
    flesh = part.skin.half - part.side
    narrowing = np.sqrt(1 - np.clip((level - apex + 0.075) / 0.075, 0, 1) ** 2)
    chest_flesh = np.minimum(flesh, 140.0 * f * p.muscle**0.2 + 0.0 * level + 40 * (1 - chest))
    chest_half = (chest_flesh - 17.0 * f) * narrowing * (level < apex)
    half = np.maximum(trunk.cavity.a * (1 - chest), chest_half * chest)
    pelvis = 1 - smooth(np.clip((level - 0.545) / 0.03, 0.0, 1.0))
    ahead = (trunk.cavity.y - trunk.cavity.b) * (1 - chest) + (front + 14.0) * chest
    behind = back - 31.0 * f * p.muscle**0.4
    behind = behind * (1 - pelvis) + (trunk.cavity.y + trunk.cavity.b) * pelvis
    ahead = np.maximum(ahead, front + 9.0)
    depth = np.maximum(behind - ahead, 4.0)
    tall = 0.4 + 0.6 * narrowing
    middle = ahead + 0.54 * depth
    return stack(part.skin.x, middle, half, 0.54 * depth * tall, 0.46 * depth * tall, 0.10, 0.30)


