"""Pelvis, hips, femora and knees as rods, outside and marrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import TABLE_Y_MM, Columns
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.smooth_body.build import Build
from mimir_engine.phantom.smooth_body.organs import Inside, p_z
from mimir_engine.phantom.smooth_body.shapes import Rod
from mimir_engine.phantom.smooth_body.surface import Part


@dataclass(frozen=True)
class Bone:
    """A rod of bone: how thick its dark cortex is (mm), and which marrow it has."""

    rod: Rod
    cortex: float
    red: bool


def skeleton(c: Columns, inside: Inside, trunk: Part, legs: tuple[Part, Part]) -> tuple[Bone, ...]:
    """Build the bones of pelvis and legs, in the order they are painted."""
    bones = []
    for side, leg in zip((-1.0, 1.0), legs):
        bones += [*_pelvis(c, inside, side), *_femur(c, leg, side), *_knee(c, leg, side)]
    return tuple(bones)


def _point(c: Columns, table: np.ndarray, level: float) -> float:
    return float(np.interp(level, c.level, table))


def hip_joint(p: Person, side: float) -> tuple[float, float, float]:
    """Centre of the right (-1) or left (+1) femoral head (LPS mm)."""
    y = TABLE_Y_MM - 92.0 * p.frame - 0.35 * p.subcutaneous
    return side * 87.0 * p.frame, y, Build.top_z(p.crotch_level + 0.047, p)


def _pelvis(c: Columns, inside: Inside, side: float) -> list[Bone]:
    f, crotch = c.person.frame, c.person.crotch_level
    head = hip_joint(c.person, side)
    spine_y = _point(c, inside.spine.y, 0.555)
    z = p_z
    bones = []
    # The iliac wing: a fan of rods from the sacroiliac joint to the crest, thin in the middle.
    for share in np.linspace(0.0, 1.0, 9):
        level = crotch + 0.060 + 0.062 * share
        reach = 46.0 + 60.0 * np.sin(np.pi * (0.25 + 0.62 * share)) * f
        inner = (side * (46.0 + 6 * share) * f, spine_y + 14.0 + 6 * share, z(c, level))
        outer = (side * (66.0 + 0.62 * reach) * f, head[1] - (2 + 26 * share) * f, z(c, level))
        bones.append(Bone(Rod(inner, outer, 9.0 * f, 6.0 * f), 1.5, True))
    socket = (head[0] + side * 3, head[1] + 4, head[2] + 8)
    bones.append(Bone(Rod(socket, (head[0] - side * 4, head[1] + 8, head[2] + 20), 31 * f, 25 * f), 2.0, True))
    pubis = (side * 10.0, head[1] - 30 * f, z(c, crotch + 0.030))
    bones.append(Bone(Rod((head[0] - side * 12, head[1] - 16, head[2] - 4), pubis, 12 * f, 9 * f), 2.0, True))
    seat = (side * 56.0 * f, head[1] + 32 * f, z(c, crotch + 0.012))
    bones.append(Bone(Rod((head[0] - side * 8, head[1] + 18, head[2] - 6), seat, 15 * f, 14 * f), 2.0, True))
    bones.append(Bone(Rod(pubis, seat, 7 * f, 8 * f), 2.0, True))
    if side < 0:
        top = (0.0, _point(c, inside.spine.y, 0.56) + 8, z(c, 0.562))
        end = (0.0, head[1] + 50 * f, z(c, crotch + 0.045))
        bones.append(Bone(Rod(top, end, 30 * f, 9 * f), 1.5, True))
    return bones


def _femur(c: Columns, leg: Part, side: float) -> list[Bone]:
    p, f = c.person, c.person.frame
    head = hip_joint(c.person, side)
    outer = abs(_point(c, leg.skin.x, p.crotch_level))
    trochanter_x = side * min(max(outer + 16 * f, abs(head[0]) + 34 * f), abs(head[0]) + 56 * f)
    z = p_z
    trochanter = (trochanter_x, head[1] + 6, z(c, p.crotch_level + 0.030))
    knee_y = _point(c, leg.skin.y, p.knee_level)
    shaft_end = (_point(c, leg.skin.x, p.knee_level + 0.05), knee_y + 2, z(c, p.knee_level + 0.05))
    flare = (_point(c, leg.skin.x, p.knee_level + 0.012), knee_y + 4, z(c, p.knee_level + 0.016))
    return [
        Bone(Rod(head, trochanter, 15 * f, 17 * f), 2.0, False),
        Bone(Rod(trochanter, (trochanter_x - side * 6, head[1] + 4, z(c, p.crotch_level)), 18 * f, 14.5 * f), 3.0, False),
        Bone(Rod((trochanter_x - side * 6, head[1] + 4, z(c, p.crotch_level + 0.006)), shaft_end, 14.0 * f, 14.0 * f), 6.0 * f, False),
        Bone(Rod(shaft_end, flare, 14.0 * f, 30 * f), 2.5, False),
        Bone(Rod(head, (head[0] + 1, head[1], head[2]), 23.5 * f, 23.5 * f), 1.5, False),
    ]  # fmt: skip


def _knee(c: Columns, leg: Part, side: float) -> list[Bone]:
    p, f = c.person, c.person.frame
    x, y = _point(c, leg.skin.x, p.knee_level), _point(c, leg.skin.y, p.knee_level)
    z = p_z(c, p.knee_level)
    bones = [
        Bone(Rod((x + way * 20 * f, y - 6, z + 22), (x + way * 20 * f, y + 14, z + 22), 20 * f, 19 * f), 1.5, False)
        for way in (-1.0, 1.0)
    ]
    plateau = z - 17.0
    bones += [
        Bone(Rod((x - 20 * f, y + 4, plateau), (x + 20 * f, y + 4, plateau), 15.5 * f, 15.5 * f), 1.5, False),
        Bone(Rod((x, y + 2, plateau - 6), (x, y - 2, plateau - 50), 26 * f, 15 * f), 2.5, False),
        Bone(Rod((x, y - 2, plateau - 40), (x, y, plateau - 320), 14 * f, 12 * f), 5.0, False),
        Bone(Rod((x + side * 30 * f, y + 18, plateau - 14), (x + side * 26 * f, y + 16, plateau - 300), 8 * f, 7 * f), 2.5, False),
        Bone(Rod((x, y - 43 * f, z + 34), (x, y - 41 * f, z + 18), 10 * f, 9 * f), 1.5, False),
    ]
    return bones
