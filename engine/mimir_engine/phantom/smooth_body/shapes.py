"""Smooth shapes in an axial slice, as signed distances to their surfaces (mm, negative inside).

The distances are exact to first order near a surface, which is where they are used: as the share
of a pixel inside (`occupancy`), as a layer at a depth, or joined without a crease (`soft_minimum`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional, Union

import numpy as np

#: A distance that is outside everything (mm).
FAR = np.float32(99.0)
#: Rows and columns of a slice.
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Grid:
    """The pixels of an axial slice: positions of columns and rows (LPS mm), both ascending.

    Attributes:
        x: Column positions, float32 ``(columns,)``.
        y: Row positions, float32 ``(rows, 1)``.
        spacing: Distance of neighbours, in both directions.
    """

    x: np.ndarray
    y: np.ndarray
    spacing: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> Grid:
        """Create the grid of some columns and rows."""
        return cls(x.astype(np.float32), y.astype(np.float32)[:, None], float(x[1] - x[0]))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.y), len(self.x)

    def window(self, x: Sequence[float], y: Sequence[float]) -> Optional[Window]:
        """Find the pixels between two columns and two rows (mm); None if there are none."""
        spans = []
        for positions, (low, high) in ((self.y[:, 0], y), (self.x, x)):
            first = max(int(np.ceil((low - float(positions[0])) / self.spacing)), 0)
            last = int((high - float(positions[0])) // self.spacing) + 1
            if first >= min(last, len(positions)):
                return None
            spans.append(slice(first, min(last, len(positions))))
        return spans[0], spans[1]

    def cut(self, window: Window) -> Grid:
        """Return the grid of a window."""
        return Grid(self.x[window[1]], self.y[window[0]], self.spacing)


@dataclass(frozen=True)
class Egg:
    """A rounded section: an oval with its own depth in front and behind, each more or less square.

    With ``u`` and ``v`` the distances from the centre in half-axes, its edge is where
    ``u⁴ + 2cu²v² + v⁴ = 1``; ``c = 1 - square``: 0 is an ellipse, 1 nearly a rounded square.
    """

    x: float
    y: float
    half: float
    front: float
    back: float
    square_front: float = 0.0
    square_back: float = 0.0

    def window(self, grid: Grid, margin: float = 3.0) -> Optional[Window]:
        """Find the pixels within a margin (mm)."""
        return grid.window(
            (self.x - self.half - margin, self.x + self.half + margin),
            (self.y - self.front - margin, self.y + self.back + margin),
        )

    def distance(self, grid: Grid) -> np.ndarray:
        """Compute the distance of each pixel to the edge, float32 ``(rows, columns)``."""
        dy = grid.y - np.float32(self.y)
        ahead = dy < 0
        depth = np.where(ahead, self.front, self.back).astype(np.float32)
        c = (1.0 - np.where(ahead, self.square_front, self.square_back)).astype(np.float32)
        # The centre itself has no nearest edge: pass it by.
        u = (grid.x - np.float32(self.x)) / np.float32(self.half) + np.float32(1e-3)
        v = dy / depth
        q, p = u * u, v * v
        along_x = q + c * p
        along_y = p + c * q
        norm = np.sqrt(along_x * q + along_y * p)
        along_x *= u / np.float32(self.half)
        along_y *= v / depth
        along_x *= along_x
        along_y *= along_y
        along_x += along_y
        np.sqrt(along_x, out=along_x)
        root = np.sqrt(norm)
        norm *= root
        root -= 1.0
        root *= norm
        root /= along_x
        return root


@dataclass(frozen=True)
class Rod:
    """A rod with round ends from one point to another (LPS mm), with a radius at each."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radius_start: float
    radius_end: float

    @property
    def low(self) -> float:
        """Patient z of its lower end."""
        return min(self.start[2] - self.radius_start, self.end[2] - self.radius_end)

    @property
    def high(self) -> float:
        """Patient z of its upper end."""
        return max(self.start[2] + self.radius_start, self.end[2] + self.radius_end)

    def window(self, grid: Grid, margin: float = 3.0) -> Optional[Window]:
        """Find the pixels within a margin (mm) of any part of it."""
        r = max(self.radius_start, self.radius_end) + margin
        x, y = (sorted((self.start[i], self.end[i])) for i in (0, 1))
        return grid.window((x[0] - r, x[1] + r), (y[0] - r, y[1] + r))

    def distance(self, grid: Grid, z: float) -> np.ndarray:
        """Compute the distance of each pixel of the slice at z to its surface."""
        axis = np.subtract(self.end, self.start)
        unit = (axis / max(float(axis @ axis), 1e-6)).astype(np.float32)
        dx, dy = grid.x - np.float32(self.start[0]), grid.y - np.float32(self.start[1])
        dz = np.float32(z - self.start[2])
        t = dx * unit[0] + (dy * unit[1] + dz * unit[2])
        np.clip(t, 0.0, 1.0, out=t)
        x, y, z_ = (t * np.float32(-step) for step in axis)
        x += dx
        y += dy
        z_ += dz
        d = np.sqrt(x * x + y * y + z_ * z_)
        d -= np.float32(self.radius_start)
        d -= t * np.float32(self.radius_end - self.radius_start)
        return np.asarray(d)


class Waves:
    """A smooth random field: a sum of plane waves, of standard deviation about 1."""

    def __init__(self, rng: np.random.Generator, lengths: Sequence[float], count: int = 6) -> None:
        """Draw waves of about the given lengths (mm) along x, y and z."""
        direction = rng.standard_normal((count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        self._vectors = direction * (
            2 * np.pi / np.asarray(lengths) * rng.uniform(0.7, 1.3, (count, 1))
        )
        self._phases = rng.uniform(0, 2 * np.pi, count)
        self._scale = np.sqrt(2.0 / count)

    def at(self, grid: Grid, z: float) -> np.ndarray:
        """Evaluate a slice, float32 ``(rows, columns)``."""
        kx, ky, kz = self._vectors.T.astype(np.float32)
        along_x = grid.x * kx[:, None]
        along_y = grid.y * ky + (kz * np.float32(z) + self._phases.astype(np.float32))
        left = np.concatenate([np.cos(along_y), -np.sin(along_y)], axis=1)
        right = np.concatenate([np.cos(along_x), np.sin(along_x)])
        return np.asarray((left * np.float32(self._scale)) @ right)


def soft_minimum(a: np.ndarray, b: np.ndarray, reach: float) -> np.ndarray:
    """Join two shapes, with a fillet where both surfaces are within ``reach`` (mm)."""
    h = np.abs(a - b)
    np.subtract(np.float32(reach), h, out=h)
    np.maximum(h, 0.0, out=h)
    h *= h
    h *= np.float32(0.25 / reach)
    return np.minimum(a, b) - h


def occupancy(distance: np.ndarray, spacing: float) -> np.ndarray:
    """Compute the share of each pixel inside, 0..1, with an edge one pixel wide."""
    share = distance * np.float32(-1.0 / spacing)
    share += np.float32(0.5)
    return np.clip(share, 0.0, 1.0, out=share)


def layer(distance: np.ndarray, half: Union[float, np.ndarray], spacing: float) -> np.ndarray:
    """Compute the share of each pixel within ``half`` of a surface, however thin the layer is."""
    return occupancy(distance - half, spacing) - occupancy(distance + half, spacing)
