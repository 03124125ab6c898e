"""The organs of chest and belly, placed in the room that the trunk leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import Columns
from mimir_engine.phantom.smooth_body.cavity import Room
from mimir_engine.phantom.smooth_body.stack import Stack, stack
from mimir_engine.phantom.smooth_body.surface import Part

#: Organs with the tissue that fills them, in the order they are painted.
Filled = tuple[tuple[str, Stack], ...]


@dataclass(frozen=True)
class Organs:
    """Shapes of the organs; those from the diaphragm down rise and fall with it.

    Attributes:
        liver: Right and left lobe, joined when they are painted.
        under: Other organs that end at the diaphragm.
        kidneys: Right and left.
        colon: Ascending and descending.
        heart: With its fat around it.
        chambers: Blood in the heart.
        mediastinum: Between the lungs.
        fixed: What breath does not move: vessels, airway, muscles and organs of the pelvis.
    """

    liver: tuple[Stack, Stack]
    under: Filled
    kidneys: tuple[Stack, ...]
    colon: tuple[Stack, ...]
    heart: Stack
    chambers: tuple[Stack, ...]
    mediastinum: Stack
    fixed: Filled


def place_organs(c: Columns, room: Room, trunk: Part) -> Organs:
    """Place the organs."""
    ball = _Balls(c, room)
    f, dome = c.person.frame, room.dome
    heart = c.person.dome_level + 0.018
    return Organs(
        liver=_liver(c, room),
        under=(
            ("stomach", ball(0.42, -0.16, dome - 0.052, (0.27, 0.42, 62.0), 0.15)),
            ("spleen", ball(0.74, 0.42, dome - 0.046, (0.19, 0.40, 54.0), -0.12)),
        ),
        kidneys=_kidneys(c, room, trunk),
        colon=_colon(c, room),
        heart=ball.mm(20 * f, -0.26, heart, (58 * f, 50 * f, 66.0), -0.40),
        chambers=(
            ball.mm(38 * f, -0.20, heart - 0.006, (21 * f, 21 * f, 40.0), -0.5),
            ball.mm(0.0, -0.40, heart + 0.004, (25 * f, 20 * f, 42.0), -0.3),
        ),
        mediastinum=_mediastinum(c, room, trunk),
        fixed=(*_pelvic(c, room), *_psoas(c, room, trunk), *_tubes(c, room, trunk, heart)),
    )


class _Balls:
    """Makes ellipsoids in the cavity under and over the diaphragm."""

    def __init__(self, c: Columns, room: Room) -> None:
        self._c = c
        self._place = room.diaphragm

    def __call__(
        self, u: float, v: float, level: float, size: tuple[float, float, float], tilt: float
    ) -> Stack:
        """Place and size across and along in units of the cavity's, height in mm.

        ``tilt`` moves it to the left with height, mm per mm.
        """
        wide, deep = size[0] * self._place.half, size[1] * self._place.depth
        return self.mm(u * self._place.half, v, level, (wide, deep, size[2]), tilt)

    def mm(
        self, x: float, v: float, level: float, size: tuple[float, float, float], tilt: float = 0.0
    ) -> Stack:
        """The same with place and size across in mm."""
        c, place = self._c, self._place
        profile = c.bulge(level, size[2] / c.person.height)
        leaning = tilt * (c.level - level) * c.person.height
        y = place.y + v * place.depth
        return stack(place.x + x + leaning, y, size[0] * profile, size[1] * profile)


def _liver(c: Columns, room: Room) -> tuple[Stack, Stack]:
    """A right lobe that fills the dome and tapers down, a flat left lobe in front."""
    place, edge, dome = room.diaphragm, room.liver_edge, room.dome
    a, b = place.half, place.depth
    middle, half = (edge + dome) / 2, (dome - edge) / 2 + 0.004
    tip = np.clip((c.level - edge) / (dome - edge), 0.0, 1.0)
    right = c.bulge(middle, half, 2.6) * (0.62 + 0.38 * tip**0.7)
    inwards = 0.10 * (c.level - middle) * c.person.height
    left = c.bulge(dome - 0.036, 0.030, 2.4)
    return (
        stack(
            *(place.x - 0.66 * a + inwards, place.y + 0.08 * b),
            *(0.57 * a * right, 0.77 * b * right, 0.84 * b * right),
        ),
        stack(
            *(place.x + 0.04 * a, place.y - 0.44 * b),
            *(0.48 * a * left, 0.48 * b * left, 0.30 * b * left),
        ),
    )


def _kidneys(c: Columns, room: Room, trunk: Part) -> tuple[Stack, ...]:
    """Beside the spine, the upper poles nearer to it; the right one is lower."""
    f = c.person.frame
    kidneys = []
    for side, level in ((-1.0, 0.622), (1.0, 0.629)):
        profile = f * c.bulge(level, 0.034, 2.4)
        x = trunk.skin.x + side * (62.0 * f - 0.16 * (c.level - level) * c.person.height)
        kidneys.append(stack(x, room.spine.y - 2.0 * f, 28.0 * profile, 24.0 * profile))
    return tuple(kidneys)


def _colon(c: Columns, room: Room) -> tuple[Stack, ...]:
    cavity = room.cavity
    wide = c.curve([(0.555, 16.0), (0.57, 25.0), (0.61, 22.0), (0.66, 18.0)])
    y = cavity.y + 0.12 * (cavity.front + cavity.back)
    return tuple(
        stack(cavity.x + side * 0.80 * cavity.half, y, wide * c.between(0.56, top), 21.0)
        for side, top in ((-1.0, 0.632), (1.0, 0.655))
    )


def _mediastinum(c: Columns, room: Room, trunk: Part) -> Stack:
    low, high = c.person.dome_level, c.person.shoulder_level - 0.012
    wide = c.curve([(low, 20.0), (0.745, 30.0), (0.78, 33.0), (high, 36.0), (0.83, 36.0)])
    wide = c.person.frame * wide * c.between(low - 0.03, high + 0.03)
    cavity = room.cavity
    deep = cavity.front + 10.0, cavity.back + 10.0
    return stack(trunk.skin.x + 4.0, cavity.y, wide, *deep, 0.8, 0.8)


def _pelvic(c: Columns, room: Room) -> Filled:
    """The bladder, as full as the person's, and rectum with womb or prostate behind it."""
    p = c.person
    radius = (p.bladder * 0.75e6 / np.pi) ** (1 / 3)
    profile = c.bulge(p.crotch_level + 0.05, 0.87 * radius / p.height)
    y = float(np.interp(p.crotch_level + 0.05, c.level, room.front)) + 26.0 + radius
    behind = c.bulge(p.crotch_level + 0.055, 62.0 / p.height)
    return (
        ("fluid", stack(0.0, y, 1.15 * radius * profile, radius * profile)),
        ("viscera", stack(2.0, y + radius + 30.0, 27.0 * behind, 24.0 * behind)),
    )


def _psoas(c: Columns, room: Room, trunk: Part) -> Filled:
    """From the lumbar spine forwards and outwards to the hips."""
    p = c.person
    half = c.curve([(0.485, 0.0), (0.50, 15.0), (0.56, 21.0), (0.60, 15.0), (0.635, 6.0)])
    half = half * p.frame * p.muscle**0.5 * c.between(p.crotch_level + 0.02, 0.635)
    x = p.frame * c.curve([(0.48, 82.0), (0.52, 66.0), (0.57, 46.0), (0.635, 32.0)])
    y = room.spine.y + c.curve([(0.48, -62.0), (0.53, -40.0), (0.575, -2.0), (0.635, 4.0)])
    return tuple(
        ("muscle", stack(trunk.skin.x + side * x, y, half, 1.15 * half)) for side in (-1.0, 1.0)
    )


def _tubes(c: Columns, room: Room, trunk: Part, heart: float) -> Filled:
    """Great vessels before the spine, above the heart and in the neck; the airway."""
    p, f, place, x = c.person, c.person.frame, room.diaphragm, trunk.skin.x
    high = p.shoulder_level - 0.012
    before_spine = room.spine.y - room.spine.front
    aorta, vena = c.between(0.595, high), c.between(0.595, room.dome - 0.01)
    windpipe = c.between(high - 0.02, 0.885)
    tubes = [
        ("blood", stack(x + 9.0, before_spine - 12 * f, 10.5 * f * aorta, 10.5 * f)),
        ("blood", stack(x - 17.0, before_spine - 11 * f, 12 * f * vena, 9.5 * f)),
        ("air", stack(x, room.spine.y - 34 * f, 8.5 * f * windpipe, 7.5 * f)),
    ]
    for across, v, radius, top in (
        *((-8.0, -0.28, 15.0, 0.782), (14.0, -0.30, 13.0, 0.770)),
        *((-27.0, -0.16, 9.0, high),),
    ):
        low = heart + 0.020
        wide = radius * f * c.bulge((low + top) / 2, (top - low) / 2, 6.0)
        shape = stack(place.x + across * f, place.y + v * place.depth, wide, radius * f)
        tubes.append(("blood", shape))
    for side in (-1.0, 1.0):
        for across, ahead, radius in ((25.0, 26.0, 3.6), (31.0, 30.0, 5.5)):
            wide = radius * f * c.between(high + 0.005, 0.93)
            shape = stack(x + side * across * f, room.spine.y - ahead * f, wide, radius * f)
            tubes.append(("blood", shape))
    return tuple(tubes)
