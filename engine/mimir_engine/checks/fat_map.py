"""Where a station shows fat and where lean tissue, at sparse points that all stations share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.station import Station

#: Distance of points along x and along y, in mm. They lie at multiples of it in patient space.
POINTS_MM = (11.0, 15.0)
#: Body is what has this share of a station's bright signal (water + fat, 95th percentile) at least.
BODY_SHARE, BRIGHT = 0.25, 95.0
#: Slices of two stations are at the same place if not farther apart, in slice distances.
NEAR = 0.6
#: Rows and columns of a map.
Points = tuple[slice, slice]


@dataclass(frozen=True)
class FatMap:
    """The fat contrast of a station at its points of the common grid.

    Exchanged water and fat change the sign of ``contrast``, and nothing else.

    Attributes:
        contrast: (fat - water) / (fat + water) in the body, 0 outside: float32
            ``[slice, row, column]``.
        signal: Water + fat, also outside the body.
        first: Index of the first row and of the first column in the common grid.
        z_mm: Patient z of the slices, ascending.
    """

    contrast: np.ndarray
    signal: np.ndarray
    first: tuple[int, int]
    z_mm: np.ndarray

    @property
    def spacing_mm(self) -> float:
        """Smallest distance of the slices."""
        return float(np.abs(np.diff(self.z_mm)).min(initial=1e3))

    @property
    def x_mm(self) -> np.ndarray:
        """Patient x of the columns."""
        return np.asarray(POINTS_MM[0] * (self.first[1] + np.arange(self.contrast.shape[2])))

    def at(self, slices: np.ndarray) -> FatMap:
        """Return some slices, in the given order."""
        return FatMap(self.contrast[slices], self.signal[slices], self.first, self.z_mm[slices])

    def half(self, middle: int, side: int) -> FatMap:
        """Return the columns of one side: 0 is right of the column ``middle``, 1 the rest."""
        column = self.first[1]
        split = int(np.clip(middle - column, 0, self.contrast.shape[2]))
        if side == 0:
            return self._part(slice(None, split), column)
        return self._part(slice(split, None), column + split)

    def _part(self, columns: slice, first_column: int) -> FatMap:
        contrast, signal = self.contrast[:, :, columns], self.signal[:, :, columns]
        return FatMap(contrast, signal, (self.first[0], first_column), self.z_mm)

    def common(self, other: FatMap) -> tuple[Points, Points]:
        """Return rows and columns of the points that both have, in this map and in the other."""
        own, others = [], []
        for axis, (mine, its) in enumerate(zip(self.first, other.first)):
            first = max(mine, its)
            last = min(mine + self.contrast.shape[axis + 1], its + other.contrast.shape[axis + 1])
            own.append(slice(first - mine, max(last, first) - mine))
            others.append(slice(first - its, max(last, first) - its))
        return (own[0], own[1]), (others[0], others[1])

    def same_places(self, lower: FatMap) -> tuple[tuple[np.ndarray, np.ndarray], Points, Points]:
        """Return pairs of slices at the same place, and the common points of both stations.

        Args:
            lower: The neighbour nearer to the feet. If it only touches, the nearest slices count.

        Returns:
            Indices of slices, own and the neighbour's; rows and columns of each.
        """
        apart = np.abs(self.z_mm[:, np.newaxis] - lower.z_mm)
        i, j = np.nonzero(apart <= max(NEAR * lower.spacing_mm, float(apart.min()) + 1e-3))
        return ((i, j), *self.common(lower))


def fat_map(station: Station) -> FatMap:
    """Sample a station's fat contrast at all slices."""
    (x, y), (dx, dy) = station.affine[:2, 3].tolist(), station.spacing_mm[:2]
    slices, rows, columns = station.shape
    first_column, column = _points(x, dx, columns, POINTS_MM[0])
    first_row, row = _points(y, dy, rows, POINTS_MM[1])
    pixels = (row[:, np.newaxis] * columns + column).ravel()
    water, fat = (
        station.images[c].reshape(slices, -1).take(pixels, axis=1).astype(np.float32)
        for c in (Contrast.WATER, Contrast.FAT)
    )
    contrast, _ = fat_contrast(water, fat, bright_signal(station))
    shape = (slices, len(row), len(column))
    z_mm = station.affine[2, 3] + station.spacing_mm[2] * np.arange(slices)
    first = (first_row, first_column)
    return FatMap(contrast.reshape(shape), (water + fat).reshape(shape), first, z_mm)


def bright_signal(station: Station) -> float:
    """Return the water + fat signal of bright tissue, in the station's units."""
    sample = (slice(None, None, 4), slice(None, None, 12), slice(None, None, 6))
    signal = station.water[sample].astype(np.float32) + station.fat[sample]
    return float(np.percentile(signal, BRIGHT))


def fat_contrast(
    water: np.ndarray, fat: np.ndarray, bright: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (fat - water) / (fat + water), 0 outside the body, and where the body is.

    Args:
        water: Any shape, float32.
        fat: The same.
        bright: ``bright_signal`` of their station.
    """
    signal = water + fat
    body = signal > max(BODY_SHARE * bright, float(np.finfo(np.float32).tiny))
    return np.divide(fat - water, signal, out=np.zeros_like(signal), where=body), body


def agreement(
    upper: np.ndarray, lower: np.ndarray, axes: Union[int, tuple[int, ...]]
) -> tuple[np.ndarray, np.ndarray]:
    """Tell whether two images show fat at the same places: the polarity of their seam.

    Args:
        upper: Fat contrast.
        lower: Fat contrast at the same points.
        axes: Axes to sum over.

    Returns:
        Agreement, 1 if fat meets fat and lean meets lean everywhere, -1 if fat meets lean
        everywhere, 0 if there is no common body; and its weight, about the number of points.
    """
    product = upper * lower
    weight = np.abs(product).sum(axis=axes)
    return product.sum(axis=axes) / np.maximum(weight, 1e-9), weight


def _points(start: float, step: float, count: int, distance: float) -> tuple[int, np.ndarray]:
    """Return the first grid index within a station's axis, and the nearest pixels of its points."""
    first = int(np.ceil(start / distance))
    last = int(np.floor((start + step * (count - 1)) / distance))
    places = np.arange(first, last + 1) * distance
    return first, np.clip(np.rint((places - start) / step), 0, count - 1).astype(np.intp)
