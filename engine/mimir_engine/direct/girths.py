"""Measure waist, hip and thighs as with a tape, and the fat under the skin of the waist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.direct.body import Body
from mimir_engine.direct.outline import girths_mm, rim_mm
from mimir_engine.direct.parts import LEFT_THIGH, RIGHT_THIGH, TRUNK, Parts

#: Levels between the crotch (0) and the shoulders (1) among which the smallest girth is the waist,
#: and the largest the hip.
WAIST_RANGE, HIP_RANGE = (0.32, 0.52), (0.0, 0.2)
#: Neighbours on each side, in slices, that a girth is averaged with.
NEIGHBOURS = 1


@dataclass(frozen=True)
class Girths:
    """Girths in mm and the slices where they were measured; None where they cannot be.

    Attributes:
        waist: Smallest girth of the trunk above the hip.
        hip: Largest girth of the trunk below the waist.
        thighs: Girth of the right and the left thigh in the middle between crotch and knee.
        rim: Mean thickness of the fat under the skin of the waist.
        waist_slice, hip_slice: Where waist and hip are.
    """

    waist: Optional[float] = None
    hip: Optional[float] = None
    thighs: tuple[Optional[float], Optional[float]] = (None, None)
    rim: Optional[float] = None
    waist_slice: Optional[int] = None
    hip_slice: Optional[int] = None


def measure_girths(body: Body, parts: Parts) -> Girths:
    """Measure the girths that the landmarks in view allow."""
    if parts.crotch is None:
        return Girths()
    thighs = (
        _thigh(body, parts, RIGHT_THIGH, parts.knees[0]),
        _thigh(body, parts, LEFT_THIGH, parts.knees[1]),
    )
    if parts.shoulders is None:
        return Girths(thighs=thighs)
    waist_range, hip_range = (
        range(*(parts.crotch + round(level * (parts.shoulders - parts.crotch)) for level in levels))
        for levels in (WAIST_RANGE, HIP_RANGE)
    )
    waists, hips = (_smooth_girths(body, parts, TRUNK, r) for r in (waist_range, hip_range))
    at_waist, at_hip = waist_range[int(waists.argmin())], hip_range[int(hips.argmax())]
    waist, hip = float(waists.min()), float(hips.max())
    rim = rim_mm(body, at_waist, parts.labels[at_waist] == TRUNK, waist)
    return Girths(waist, hip, thighs, rim, at_waist, at_hip)


def _thigh(body: Body, parts: Parts, part: int, knee: Optional[int]) -> Optional[float]:
    if knee is None or parts.crotch is None:
        return None
    middle = (parts.crotch + knee) // 2
    return float(_smooth_girths(body, parts, part, range(middle, middle + 1))[0])


def _smooth_girths(body: Body, parts: Parts, part: int, levels: range) -> np.ndarray:
    """Return the girth of a part in each of these slices, averaged with the slices beside it."""
    around = slice(levels.start - NEIGHBOURS, levels.stop + NEIGHBOURS)
    girths = girths_mm(body, around, parts.labels[around] == part)
    window = np.full(2 * NEIGHBOURS + 1, 1 / (2 * NEIGHBOURS + 1))
    return np.convolve(girths, window, mode="valid")
