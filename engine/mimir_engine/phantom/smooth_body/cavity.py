"""The cavity of chest and belly, the spine behind it and the diaphragm across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import Columns, smooth
from mimir_engine.phantom.anatomy.trunk import Trunk
from mimir_engine.phantom.scanner import patient_z
from mimir_engine.phantom.smooth_body.shapes import Grid, soft_minimum
from mimir_engine.phantom.smooth_body.stack import Stack, stack
from mimir_engine.phantom.smooth_body.surface import Part

#: Distance (mm) from the back's flesh to the middle of the vertebral bodies, by level.
SPINE_DEPTH = ((0.50, 44.0), (0.56, 58.0), (0.62, 60.0), (0.74, 46.0), (0.81, 44.0), (0.87, 46.0))
#: Size of the vertebral bodies by level; 1 is a lumbar one.
SPINE_SIZE = ((0.50, 1.1), (0.55, 1.0), (0.68, 0.82), (0.80, 0.66), (0.87, 0.6))
#: Level of the right dome above the upper end of population 1's belly, whose top is flat.
DOME = 0.016


@dataclass(frozen=True)
class Diaphragm:
    """Two domes with a saddle between them.

    Attributes:
        x, y: Middle of the cavity (LPS mm).
        half, depth: Half-width and half-depth of the cavity (mm).
        top: Patient z of the right and of the left dome.
    """

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
        return np.asarray(-soft_minimum(-domes[0], -domes[1], 45.0) - drop)


@dataclass(frozen=True)
class Room:
    """Where organs find their place.

    Attributes:
        cavity: Chest and belly in one.
        spine: Vertebral bodies.
        diaphragm: Between chest and belly.
        dome: Level of the right dome.
        liver_edge: Level of the liver's lower end.
        front: y (LPS mm) of the front of the trunk's flesh, ``(K,)``.
    """

    cavity: Stack
    spine: Stack
    diaphragm: Diaphragm
    dome: float
    liver_edge: float
    front: np.ndarray


def make_room(c: Columns, trunk: Trunk, part: Part) -> Room:
    """Hollow the trunk's flesh."""
    p, skin = c.person, part.skin
    front, back = skin.y - skin.front + part.ahead, skin.y + skin.back - part.behind
    cavity = _cavity(c, trunk, part, front, back)
    size = c.curve(SPINE_SIZE) * p.frame
    spine_y = gentle(back - p.frame * c.curve(SPINE_DEPTH))
    spine = stack(skin.x * 1.3, spine_y, 25.0 * size, 17.0 * size, 15.0 * size, 0.1, 0.3)
    dome = p.dome_level + DOME
    at = int(np.argmin(np.abs(c.level - p.dome_level + 0.01)))
    top = patient_z(dome, p)
    diaphragm = Diaphragm(
        x=float(cavity.x[at]),
        y=float(cavity.y[at]),
        half=float(cavity.half[at]),
        depth=float((cavity.front + cavity.back)[at] / 2),
        top=(top, top - 14.0),
    )
    return Room(cavity, spine, diaphragm, dome, trunk.liver_edge - 0.004, front)


def gentle(line: np.ndarray) -> np.ndarray:
    """Round a line over the heights, over about 12 cm."""
    for _ in range(9):
        line = smooth(line)
    return line


def _cavity(c: Columns, trunk: Trunk, part: Part, front: np.ndarray, back: np.ndarray) -> Stack:
    """Belly as large as its contents, chest as large as its wall allows."""
    p, level, f = c.person, c.level, c.person.frame
    edge, apex = trunk.liver_edge, p.shoulder_level + 0.010
    chest = smooth(np.clip((level - edge + 0.01) / 0.04, 0.0, 1.0))
    narrowing = np.sqrt(1 - np.clip((level - apex + 0.075) / 0.075, 0, 1) ** 2)
    # The shoulders widen the flesh, not the chest.
    widest = 140.0 * f * p.muscle**0.2 + 40.0 * (1 - chest)
    chest_half = (np.minimum(part.skin.half - part.side, widest) - 17.0 * f) * narrowing
    half = trunk.cavity.a * (1 - chest) + chest_half * chest * (level < apex)
    pelvis = 1 - smooth(np.clip((level - 0.545) / 0.03, 0.0, 1.0))
    ahead = (trunk.cavity.y - trunk.cavity.b) * (1 - chest) + (front + 14.0) * chest
    behind = back - 36.0 * f * p.muscle**0.4
    behind = behind * (1 - pelvis) + (trunk.cavity.y + trunk.cavity.b) * pelvis
    ahead = np.maximum(ahead, front + 9.0)
    depth = np.maximum(behind - ahead, 4.0)
    tall = 0.4 + 0.6 * narrowing
    middle = ahead + 0.54 * depth
    return stack(part.skin.x, middle, half, 0.54 * depth * tall, 0.46 * depth * tall, 0.10, 0.30)
