"""A slice of a body as shares of tissues, which both populations can paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mimir_engine.phantom.body import Tissue
from mimir_engine.phantom.scanner import ScannedStation


@dataclass(frozen=True)
class PaintedSlice:
    """An axial slice without coils and noise, on the pixels of a station.

    Attributes:
        shares: Share of each pixel that a tissue of ``TISSUES`` covers: float32
            ``(tissues, rows, columns)``.
        signal: Water and fat, about 1 for pure fat: float32 ``(2, rows, columns)``.
        middle: Patient x (mm) between right and left.
    """

    shares: np.ndarray
    signal: np.ndarray
    middle: float


class Painter(Protocol):
    """Paints slices of one body."""

    def paint(self, station: ScannedStation, z: float) -> PaintedSlice:
        """Paint the slice at a patient z (mm) as a station finds the body."""
        ...

    def tissue(self, name: str) -> Tissue:
        """Return the signals of a tissue of ``TISSUES``."""
        ...
