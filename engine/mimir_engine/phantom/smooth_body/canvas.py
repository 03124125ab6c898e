"""A slice that is being painted: one tissue over another, each with its share of every pixel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mimir_engine.phantom.smooth_body.shapes import Egg, Grid, Rod, Window, occupancy

#: What each tissue, by name, contributes to each channel of a slice.
Palette = Mapping[str, np.ndarray]


class Canvas:
    """A slice and its ``values``, float32 ``(channels, rows, columns)``."""

    def __init__(self, grid: Grid, palette: Palette) -> None:
        channels = len(next(iter(palette.values())))
        self.grid = grid
        self.palette = palette
        self.values = np.zeros((channels, *grid.shape), np.float32)

    def paint(self, window: Window, share: np.ndarray, tissue: str) -> None:
        """Cover a share of each pixel of a window with a tissue."""
        for channel, value in zip(self.values, self.palette[tissue]):
            seen = channel[window]
            if value == 0.0:
                seen -= share * seen
            else:
                seen += share * (value - seen)

    def paint_egg(self, egg: Egg, tissue: str) -> None:
        """Cover an egg with a tissue."""
        window = egg.window(self.grid)
        if window is not None:
            distance = egg.distance(self.grid.cut(window))
            self.paint(window, occupancy(distance, self.grid.spacing), tissue)

    def paint_rod(self, rod: Rod, z: float, tissue: str) -> None:
        """Cover the slice at z of a rod with a tissue."""
        window = rod.window(self.grid) if rod.low < z < rod.high else None
        if window is not None:
            distance = rod.distance(self.grid.cut(window), z)
            self.paint(window, occupancy(distance, self.grid.spacing), tissue)
