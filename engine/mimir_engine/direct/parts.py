"""Divide the body into trunk, arms, legs and neck, seen from the front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.direct.body import Body
from mimir_engine.direct.seam_path import cheapest_paths
from mimir_engine.fusion.moving_sum import moving_sum

#: Labels of the parts, 0 outside the body; "below knees" are both legs.
PART_NAMES = {
    1: "trunk",
    2: "right arm",
    3: "left arm",
    4: "right thigh",
    5: "left thigh",
    6: "below the knees",
    7: "neck",
}
TRUNK, RIGHT_ARM, LEFT_ARM, RIGHT_THIGH, LEFT_THIGH, BELOW_KNEES, NECK = PART_NAMES

#: Distance from the middle within which the legs part, and beyond which an arm may begin, in mm.
MAX_BETWEEN_LEGS_MM, MIN_TO_ARM_MM = 60.0, 70.0
#: Depth in mm of the valley between trunk and arm that rounding cannot make.
MIN_VALLEY_MM = 8.0
#: Part of the depth of the trunk, or of the thigh beside a hand, that an arm does not surpass.
MAX_ARM_PART = 0.7
#: Height in mm over which an arm may touch the trunk without a valley.
MAX_TOUCH_MM = 250.0
#: The crotch is where the lean tissue between the legs reaches this part of that beside it.
CROTCH_PART = 0.25
#: Height in mm over which it does so at least: genitals and folds of skin are smaller.
MIN_JOINED_MM = 60.0
#: The shoulders are where the width reaches this part of the largest one below.
SHOULDER_PART = 0.7
#: Height in mm below the upper end in which the shoulders are.
SHOULDER_RANGE_MM = 300.0
#: Distance in mm from the lower end, and growth of the legs' lean tissue towards it, that show that
#: the knee is above it.
MIN_BELOW_KNEE_MM, MIN_CALF_GROWTH = 20.0, 1.03
#: Height in mm of the trunk, from the crotch to the shoulders, of any person.
MIN_TRUNK_MM = 200.0
#: Half-height in mm of the mean that smooths areas along the body.
SMOOTHING_MM = 15.0


@dataclass(frozen=True)
class Parts:
    """Parts of the body and the levels between them.

    Attributes:
        labels: Key of ``PART_NAMES`` for each line of sight, uint8 ``[slice, column]``; 0 outside.
        crotch: First slice above the legs; None if they are not apart in view.
        knees: Slice of the right and of the left knee; None if not in view.
        shoulders: First slice above the shoulders; None if the neck is not in view.
    """

    labels: np.ndarray
    crotch: Optional[int]
    knees: tuple[Optional[int], Optional[int]]
    shoulders: Optional[int]


def find_parts(body: Body) -> Parts:
    """Divide a body into its parts."""
    half = _half(body)
    middle = _between_legs(body, half)
    crotch, shoulders = _crotch(body, middle), _shoulders(body)
    top = len(half) if shoulders is None else shoulders
    if crotch is not None and (top - crotch) * body.spacing_mm[2] < MIN_TRUNK_MM:
        crotch = None
    middle[crotch:] = half[crotch:]
    borders, has_arm = _arms(body, middle)
    columns = np.arange(body.depth.shape[1])
    is_right = columns < middle[:, None]
    labels = np.full(body.depth.shape, TRUNK, np.uint8)
    if crotch is not None:
        labels[:crotch] = np.where(is_right[:crotch], RIGHT_THIGH, LEFT_THIGH)
    knees = _knees(body, labels, crotch)
    for side, knee in zip((is_right, ~is_right), knees):
        if knee is not None:
            labels[:knee][side[:knee]] = BELOW_KNEES
    has_arm[:, top:] = False
    labels[:top][(columns < borders[0][:top, None]) & has_arm[0][:top, None]] = RIGHT_ARM
    labels[:top][(columns > borders[1][:top, None]) & has_arm[1][:top, None]] = LEFT_ARM
    labels[top:] = NECK
    labels[body.depth == 0] = 0
    return Parts(labels, crotch, knees, shoulders)


def _between_legs(body: Body, half: np.ndarray) -> np.ndarray:
    """Return the column between the legs in each slice: near the middle, with little tissue."""
    columns = np.arange(body.depth.shape[1])
    far = np.abs(columns - half[:, None]) * body.spacing_mm[0]
    cost = body.depth + body.lean + 0.2 * far
    cost = np.where(far > MAX_BETWEEN_LEGS_MM, np.inf, cost)
    return cheapest_paths(cost[np.newaxis].astype(np.float32))[0]


def _half(body: Body) -> np.ndarray:
    """Return the column with half of the body on each side, of slabs of 10 cm."""
    reach = round(50 / body.spacing_mm[2])
    mass = moving_sum(body.depth, reach, 0).cumsum(axis=1)
    return np.asarray((mass < mass[:, -1:] / 2).sum(axis=1))


def _crotch(body: Body, middle: np.ndarray) -> Optional[int]:
    """Return the first slice, from the foot, from which on lean tissue joins both sides."""
    reach = round(SMOOTHING_MM / body.spacing_mm[2])
    between = np.take_along_axis(body.lean, middle[:, None], axis=1)[:, 0]
    beside = body.lean.max(axis=1)
    joined = moving_sum(between - CROTCH_PART * beside, reach, 0) > 0
    height = round(MIN_JOINED_MM / body.spacing_mm[2])
    first = np.flatnonzero(moving_sum(joined, height // 2, 0) > height // 2 * 2)
    if not len(first) or first[0] - height // 2 <= reach:
        return None
    return int(first[0]) - height // 2


def _shoulders(body: Body) -> Optional[int]:
    """Return the first slice above the shoulders; None if the neck is not in view."""
    width = (body.depth > 0).sum(axis=1)
    upper = width[-round(SHOULDER_RANGE_MM / body.spacing_mm[2]) :]
    wide = np.flatnonzero(upper >= SHOULDER_PART * upper.max())
    top = len(width) - len(upper) + int(wide[-1]) + 1
    return top if 0 < top < len(width) else None


def _arms(body: Body, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the border between the trunk and each arm, and in which slices there is an arm.

    Returns:
        Columns ``[2, slice]``: the right arm has smaller ones, the left arm larger ones; and bool
        ``[2, slice]``.
    """
    valleys = []
    for outwards in (slice(None, None, -1), slice(None)):
        depth = body.depth[:, outwards]
        centre = middle if outwards.step is None else depth.shape[1] - 1 - middle
        column = np.arange(depth.shape[1]) - centre[:, None]
        inside = np.maximum.accumulate(np.where(column >= 0, depth, 0), axis=1)
        outside = np.maximum.accumulate(depth[:, ::-1], axis=1)[:, ::-1]
        valley = np.minimum(inside, outside) - depth - MIN_VALLEY_MM
        valley[outside > MAX_ARM_PART * inside] = 0
        is_far = column * body.spacing_mm[0] >= MIN_TO_ARM_MM
        valleys.append(np.where(is_far, np.maximum(valley, 0), -np.float32(1e3)))
    maps = np.stack(valleys)
    paths = cheapest_paths(-maps)
    found = np.take_along_axis(maps, paths[..., None], axis=2)[..., 0] > 0
    has_arm = np.stack([_bridged(one, round(MAX_TOUCH_MM / body.spacing_mm[2])) for one in found])
    paths[0] = maps.shape[2] - 1 - paths[0]
    return paths, has_arm


def _bridged(found: np.ndarray, longest: int) -> np.ndarray:
    """Fill gaps up to a length between slices with an arm, and above the last one.

    In longer gaps the arm is out of view beside wide hips.
    """
    filled = found.copy()
    slices = np.flatnonzero(found)
    for before, after in zip(slices, (*slices[1:], len(found))):
        if after - before <= longest:
            filled[before:after] = True
    return filled


def _knees(
    body: Body, labels: np.ndarray, crotch: Optional[int]
) -> tuple[Optional[int], Optional[int]]:
    """Return for each leg the slice with the least lean tissue, if the calf below has more."""
    if crotch is None:
        return None, None
    reach = round(SMOOTHING_MM / body.spacing_mm[2])
    found = []
    for label in (RIGHT_THIGH, LEFT_THIGH):
        lean = (body.lean[:crotch] * (labels[:crotch] == label)).sum(axis=1)
        smooth = moving_sum(lean, reach, 0) / moving_sum(np.ones_like(lean), reach, 0)
        found.append(_knee(smooth, body.spacing_mm[2]))
    return found[0], found[1]


def _knee(lean: np.ndarray, step_mm: float) -> Optional[int]:
    """Return the slice with the least lean tissue of a leg above its calf.

    Args:
        lean: Smoothed area of lean tissue, from the foot to the crotch.
        step_mm: Distance of the slices.
    """
    least = np.minimum.accumulate(lean[::-1])[::-1]
    calf = np.flatnonzero(lean > MIN_CALF_GROWTH * least)
    if not len(calf):
        return None
    knee = int(calf[-1] + lean[calf[-1] :].argmin())
    return knee if knee * step_mm >= MIN_BELOW_KNEE_MM else None
