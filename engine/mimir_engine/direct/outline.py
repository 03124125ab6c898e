"""Measure girths of parts of the body, and the fat below their skin."""

from __future__ import annotations

import math
from typing import Optional

import numpy as np

from mimir_engine.direct.body import Body

#: Directions in which the width of an outline is measured, over half a turn.
DIRECTIONS = 32


def girths_mm(body: Body, slices: slice, inside: np.ndarray) -> np.ndarray:
    """Measure the girth of a part in several slices, as a tape does: it bridges hollows.

    The perimeter of a convex outline is pi times its mean width over all directions (Cauchy).

    Args:
        body: The body.
        slices: The slices.
        inside: True for the columns of the part, ``[slice, column]``, of these slices.

    Returns:
        Girth in mm of each slice; 0 without the part.
    """
    points = [_edges(body, slices, inside, axis) for axis in (1, 2)]
    x, y = (np.concatenate(parts, axis=1) for parts in zip(*points))
    widths = np.zeros(len(x))
    for angle in np.arange(DIRECTIONS) * (math.pi / DIRECTIONS):
        along = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
        widths += along.max(axis=1) - along.min(axis=1)
    return np.asarray(widths * (math.pi / DIRECTIONS))


def _edges(
    body: Body, slices: slice, inside: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in mm of both ends of the part along an axis, ``[slice, point]``.

    Lines without the part repeat a point of the slice.
    """
    mask = (body.mask[slices] & inside[:, np.newaxis]).swapaxes(axis, 2)
    signal = body.signal[slices].swapaxes(axis, 2)
    threshold = body.threshold[slices][:, np.newaxis].repeat(body.mask.shape[1], 1)
    threshold = threshold.swapaxes(axis, 2)
    size = mask.shape[2]
    ends = []
    for order in (1, -1):
        first = mask[..., ::order].argmax(axis=2)
        at = first if order == 1 else size - 1 - first
        outer = np.clip(at - order, 0, size - 1)
        here, there, edge = (
            np.take_along_axis(values, index[..., None], 2)[..., 0]
            for values, index in ((signal, at), (signal, outer), (threshold, at))
        )
        part = np.where(there < edge, (here - edge) / np.maximum(here - there, 1e-6), 0.5)
        ends.append(at - order * np.clip(part, 0, 1))
    along = np.concatenate(ends, axis=1).astype(np.float32)
    has_part = np.tile(mask.any(axis=2), 2)
    line = np.tile(np.arange(mask.shape[1]), 2)
    other = has_part.argmax(axis=1)[:, np.newaxis]
    along = np.where(has_part, along, np.take_along_axis(along, other, 1))
    across = np.where(has_part, line, line[other]).astype(np.float32)
    x, y = (along, across) if axis == 1 else (across, along)
    return x * np.float32(body.spacing_mm[0]), y * np.float32(body.spacing_mm[1])


def rim_mm(body: Body, index: int, inside: np.ndarray) -> Optional[float]:
    """Measure the fat under the skin in front, behind, on the right and on the left of a slice.

    From each of the four sides, it is the median, over the middle third, of the depth up to the
    first voxel that is not fat.

    Args:
        body: The body.
        index: The slice.
        inside: True for the columns of the part.

    Returns:
        The mean of the four in mm; None without the part.
    """
    mask = body.mask[index] & inside
    fat = mask & (2 * body.fat_signal[index] > body.signal[index])
    sides = []
    for axis, step in ((0, body.spacing_mm[0]), (1, body.spacing_mm[1])):
        used = np.flatnonzero(mask.any(axis=1 - axis))
        if not len(used):
            return None
        third = len(used) // 3
        lines = (mask.swapaxes(0, axis), fat.swapaxes(0, axis))
        part, layer = (values[used[third] : used[-1 - third] + 1] for values in lines)
        for order in (1, -1):
            first = part[:, ::order].argmax(axis=1)
            ends = (part & ~layer)[:, ::order].argmax(axis=1)
            sides.append(float(np.median(ends - first)) * step)
    return sum(sides) / len(sides)
