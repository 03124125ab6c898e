"""Sections stacked along the body: the tables that eggs are cut from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import numpy as np

from mimir_engine.phantom.smooth_body.shapes import Egg

Table = Union[float, np.ndarray]


@dataclass(frozen=True)
class Stack:
    """Eggs at the heights of the body's tables, linear between them; absent where ``half`` is 0.

    Attributes:
        x, y: Centres (LPS mm), ``(K,)``.
        half, front, back: Half-width and depths (mm), ``(K,)``.
        square_front, square_back: See `Egg`.
    """

    x: np.ndarray
    y: np.ndarray
    half: np.ndarray
    front: np.ndarray
    back: np.ndarray
    square_front: float = 0.0
    square_back: float = 0.0

    def at(self, heights: np.ndarray, z: float) -> Egg:
        """Cut at a height; ``heights`` are the patient z of the tables, ascending."""
        i = int(np.clip(np.searchsorted(heights, z), 1, len(heights) - 1))
        w = (z - heights[i - 1]) / (heights[i] - heights[i - 1])
        x, y, half, front, back = (
            float(table[i - 1] * (1 - w) + table[i] * w)
            for table in (self.x, self.y, self.half, self.front, self.back)
        )
        return Egg(x, y, half, front, back, self.square_front, self.square_back)

    def has(self, heights: np.ndarray, z: float) -> bool:
        """Return whether it exists at a height."""
        i = int(np.searchsorted(heights, z))
        return 0 < i < len(heights) and self.half[i - 1] > 0.5 and self.half[i] > 0.5


def stack(
    x: Table, y: Table, half: np.ndarray, front: Table, back: Table = -1.0, *squares: float
) -> Stack:
    """Create a stack from tables or constants; ``back`` is as ``front`` unless given."""
    zero = np.zeros_like(half)
    ahead = zero + front
    behind = ahead if isinstance(back, float) and back < 0 else zero + back
    # Below half a millimetre a section is not drawn; its depth must stay positive.
    return Stack(
        zero + x, zero + y, half, np.maximum(ahead, 0.5), np.maximum(behind, 0.5), *squares
    )
