"""A slice of a body as shares of tissues and as signal, which both populations can paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mimir_engine.phantom.body import Tissue
from mimir_engine.phantom.scanner import ScannedStation


@dataclass(frozen=True)
class PaintedSlice:
    """An axial slice without noise, on the pixels of a station.

    Attributes:
        shares: Share of each pixel that a tissue of ``TISSUES`` covers: float32
            ``(tissues, rows, columns)``.
        signal: Water and fat in the scanner's units: float32 ``(2, rows, columns)``.
        sigma: SD of the noise in each of the two parts of the complex signal.
        middle: Patient x (mm) between right and left.
    """

    shares: np.ndarray
    signal: np.ndarray
    sigma: float
    middle: float

    def towards(self, other: PaintedSlice, weight: float) -> PaintedSlice:
        """Mix with a slice of the same station, whose weight is 0 to 1."""
        own = np.float32(1.0 - weight)
        return PaintedSlice(
            own * self.shares + np.float32(weight) * other.shares,
            own * self.signal + np.float32(weight) * other.signal,
            self.sigma,
            (1.0 - weight) * self.middle + weight * other.middle,
        )


class Painter(Protocol):
    """Paints slices of one body."""

    def paint(self, station: ScannedStation, index: int) -> PaintedSlice:
        """Paint a slice of a station."""
        ...

    def tissue(self, name: str) -> Tissue:
        """Return the signals of a tissue of ``TISSUES``."""
        ...
