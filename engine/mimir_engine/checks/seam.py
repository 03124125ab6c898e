"""Sample the images of two neighbouring stations at common points, where they meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.station import Station

#: Fewer common points than this along a row or column tell nothing.
MIN_POINTS = 8


@dataclass(frozen=True)
class Side:
    """Slices of one station near a seam, sampled at common points.

    Attributes:
        z_mm: Patient z of the slices, ascending.
        signal: Water and fat, float32 ``[contrast, slice, row, column]``; their maximum is 1.
    """

    z_mm: np.ndarray
    signal: np.ndarray

    @property
    def shows(self) -> np.ndarray:
        """Whether each slice shows something: neither its water nor its fat is blank."""
        return np.asarray((self.signal.max(axis=(2, 3)) > self.signal.min(axis=(2, 3))).all(axis=0))


@dataclass(frozen=True)
class Seam:
    """Two neighbouring stations near their seam; their points are the same.

    Attributes:
        upper: Station nearer to the head.
        lower: Its neighbour.
    """

    upper: Side
    lower: Side


def sample_seam(
    upper: Station, lower: Station, points_mm: float, reach_mm: float
) -> Optional[Seam]:
    """Sample the slices of two stations near their seam.

    Args:
        upper: Station nearer to the head.
        lower: Its neighbour.
        points_mm: Distance of the sampled points.
        reach_mm: How far the slices may lie beyond the end of the other station.

    Returns:
        At least one slice of each; None if both stations have too few points in common.
    """
    x, y = (_common_points(upper, lower, axis, points_mm) for axis in (0, 1))
    if min(len(x), len(y)) < MIN_POINTS:
        return None
    z_upper, z_lower = _slice_z(upper), _slice_z(lower)
    near_upper = max(1, int(np.count_nonzero(z_upper <= z_lower[-1] + reach_mm)))
    near_lower = max(1, int(np.count_nonzero(z_lower >= z_upper[0] - reach_mm)))
    return Seam(
        _sample(upper, slice(0, near_upper), x, y),
        _sample(lower, slice(len(z_lower) - near_lower, None), x, y),
    )


def _common_points(upper: Station, lower: Station, axis: int, points_mm: float) -> np.ndarray:
    """Return patient x (axis 0) or y (axis 1) of points that both stations show, in mm."""
    first, last = float("-inf"), float("inf")
    for station in (upper, lower):
        start, pixels = float(station.affine[axis, 3]), station.shape[2 - axis]
        first = max(first, start)
        last = min(last, start + (pixels - 1) * station.spacing_mm[axis])
    return np.arange(first, last, points_mm)


def _slice_z(station: Station) -> np.ndarray:
    return np.asarray(station.affine[2, 3] + station.spacing_mm[2] * np.arange(station.shape[0]))


def _sample(station: Station, near: slice, x_mm: np.ndarray, y_mm: np.ndarray) -> Side:
    """Take the pixels nearest to the points."""
    (x, y), (dx, dy) = station.affine[:2, 3], station.spacing_mm[:2]
    columns, rows = np.rint((x_mm - x) / dx).astype(int), np.rint((y_mm - y) / dy).astype(int)
    pixels = (rows[:, np.newaxis] * station.shape[2] + columns).ravel()
    z_mm = _slice_z(station)[near]
    signal = np.stack(
        [
            station.images[contrast][near].reshape(len(z_mm), -1).take(pixels, axis=1)
            for contrast in (Contrast.WATER, Contrast.FAT)
        ]
    ).astype(np.float32)
    signal /= max(float(signal.max()), float(np.finfo(np.float32).tiny))  # squares of any unit fit
    return Side(z_mm, signal.reshape(2, len(z_mm), len(rows), len(columns)))
