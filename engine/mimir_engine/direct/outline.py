"""Measure girths of parts of the body, and the fat below their skin."""

from __future__ import annotations

import math

import numpy as np

from mimir_engine.direct.body import NO_SIGNAL, Body

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
        part = np.where(there < edge, (here - edge) / np.maximum(here - there, NO_SIGNAL), 0.5)
        ends.append(at - order * np.clip(part, 0, 1))
    along = np.concatenate(ends, axis=1).astype(np.float32)
    has_part = np.tile(mask.any(axis=2), 2)
    line = np.tile(np.arange(mask.shape[1]), 2)
    other = has_part.argmax(axis=1)[:, np.newaxis]
    along = np.where(has_part, along, np.take_along_axis(along, other, 1))
    across = np.where(has_part, line, line[other]).astype(np.float32)
    x, y = (along, across) if axis == 1 else (across, along)
    return x * np.float32(body.spacing_mm[0]), y * np.float32(body.spacing_mm[1])


def rim_mm(body: Body, index: int, inside: np.ndarray, girth_mm: float) -> float:
    """Measure the mean thickness of the fat under the skin in a slice.

    It is the fat that is met first from the front, the back, the right and the left. A rim of
    thickness t inside an outline of girth g has the area t (g - pi t).

    Args:
        body: The body.
        index: The slice.
        inside: True for the columns of the part.
        girth_mm: Girth of the part in this slice.
    """
    mask = body.mask[index] & inside
    deep = mask & (2 * body.fat_signal[index] < body.signal[index])
    rim = np.zeros_like(mask)
    for axis in (0, 1):
        for order in (1, -1):
            turned = deep.swapaxes(0, axis)[::order]
            rim.swapaxes(0, axis)[::order] |= ~np.logical_or.accumulate(turned, axis=0)
    area = float((rim & mask).sum()) * body.spacing_mm[0] * body.spacing_mm[1]
    return (girth_mm - math.sqrt(max(girth_mm**2 - 4 * math.pi * area, 0))) / (2 * math.pi)
