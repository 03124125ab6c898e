"""Find the shift in the image plane at which two neighbouring stations match best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

import numpy as np

from mimir_engine.checks.continuity.seam_shift import SeamShift, first_row_behind, gains, unit
from mimir_engine.checks.seam import Seam, sample_seam
from mimir_engine.study.station import Station

#: Distance of the points at which slices are compared, in mm.
POINTS_MM = 12.0

#: Largest shift that is looked for along each axis, in mm.
MAX_SHIFT_MM = 48.0
#: Points that must remain to compare along each axis.
MIN_WINDOW = 8
#: Pairs of slices that are compared: those that lie nearest to each other.
MAX_PAIRS = 3


def shift_sideways(upper: Station, lower: Station) -> Optional[SeamShift]:
    """Find the best shift in the image plane.

    Its looks are water and fat, each in the front and in the back of the body: breathing moves the
    front alone. Their likeness after the shift is that of the lower station's pixels at its place,
    not of the nearest points.

    Returns:
        None if the stations have too few points in common, or their slices are blank.
    """
    seam = sample_seam(upper, lower, POINTS_MM, 0.0)
    if seam is None or not _nearest(seam):
        return None
    margins = [
        min(int(MAX_SHIFT_MM / POINTS_MM), max(points - MIN_WINDOW, 0) // 2)
        for points in seam.upper.signal.shape[2:]
    ]
    scores = _median_scores(seam, margins)
    total = scores.sum(axis=0)
    row, column = (int(i) for i in np.unravel_index(np.argmax(total), total.shape))
    x = (margins[1] - _peak(total[row], column)) * POINTS_MM
    y = (margins[0] - _peak(total[:, column], row)) * POINTS_MM
    moved_affine = lower.affine.copy()
    moved_affine[:2, 3] += x, y
    moved_seam = sample_seam(upper, replace(lower, affine=moved_affine), POINTS_MM, 0.0)
    if moved_seam is None or not _nearest(moved_seam):
        return None
    unmoved = scores[:, margins[0], margins[1]]
    moved = _median_scores(moved_seam, [0, 0])[:, 0, 0]
    return SeamShift(
        (x, y, 0.0),
        float(unmoved.min()),
        float(moved.min()),
        gains(unmoved, moved),
        len(_nearest(seam)),
    )


def _nearest(seam: Seam) -> list[tuple[int, int]]:
    """Return indices of upper and lower slices that lie nearest to each other."""
    apart = np.abs(seam.upper.z_mm[:, np.newaxis] - seam.lower.z_mm).round(1)
    apart[~seam.upper.shows] = apart[:, ~seam.lower.shows] = np.inf
    nearest = np.argsort(apart, axis=None, kind="stable")[:MAX_PAIRS]
    pairs = zip(*np.unravel_index(nearest, apart.shape))
    return [(int(i), int(j)) for i, j in pairs if np.isfinite(apart[i, j])]


def _median_scores(seam: Seam, margins: Sequence[int]) -> np.ndarray:
    """Return the likeness ``[look, row shift, column shift]`` of the slices, as ``_scores``."""
    scores = [
        _scores(seam.upper.signal[:, i], seam.lower.signal[:, j], margins)
        for i, j in _nearest(seam)
    ]
    return np.asarray(np.median(scores, axis=0))


def _scores(upper: np.ndarray, lower: np.ndarray, margins: Sequence[int]) -> np.ndarray:
    """Compare one slice with another at all shifts.

    Args:
        upper: Water and fat, ``[contrast, row, column]``.
        lower: The same of the other station.
        margins: Largest shift along rows and columns, in points.

    Returns:
        Likeness ``[look, row shift, column shift]``; no shift is in the middle.
    """
    (up, aside), (rows, columns) = margins, upper.shape[1:]
    fixed = upper[:, up : rows - up, aside : columns - aside]
    moved = np.lib.stride_tricks.sliding_window_view(lower, fixed.shape[1:], axis=(1, 2))
    middle = first_row_behind(fixed, 0.5)
    looks = [
        np.einsum("cp,cyxp->cyx", unit(fixed[:, part], 2), unit(moved[:, :, :, part], 2))
        for part in (slice(0, middle), slice(middle, None))
    ]
    return np.concatenate(looks)


def _peak(line: np.ndarray, index: int) -> float:
    """Return the place of the largest value, between the points by a parabola."""
    if not 0 < index < len(line) - 1:
        return float(index)
    before, here, after = line[index - 1 : index + 2].tolist()
    bend = before - 2 * here + after
    return index + (before - after) / (2 * bend) if bend < 0 else float(index)
