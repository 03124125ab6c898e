"""How well two neighbouring stations match, as they lie and after the shift that fits best.

Likeness is the correlation of two slices over common points. It does not depend on the stations'
signal scales.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Difference of two slices (1 - likeness) that noise and rounding alone can make.
NOISE = 1e-3


@dataclass(frozen=True)
class SeamShift:
    """The shift after which two neighbouring stations match best.

    Attributes:
        offset_mm: What to add to the positions of the lower station: patient x, y and z (LPS).
        unmoved: Median likeness without the shift, of the contrast that matches worse.
        likeness: The same after the shift.
        gains: How many times the shift reduces the difference of the stations, for several looks
            at them that must agree. 1: it does not help.
        pairs: Pairs of slices behind these numbers.
    """

    offset_mm: tuple[float, float, float]
    unmoved: float
    likeness: float
    gains: tuple[float, ...]
    pairs: int

    @property
    def distance_mm(self) -> float:
        """Length of the shift."""
        return float(np.sqrt(np.square(self.offset_mm).sum()))


def unit(signal: np.ndarray, axes: int) -> np.ndarray:
    """Flatten the last ``axes`` axes, and scale them to mean 0 and length 1; 0 if constant.

    The scalar product of two such vectors is their correlation.
    """
    flat = signal.reshape(*signal.shape[: signal.ndim - axes], -1)
    flat = flat - flat.mean(axis=-1, keepdims=True)
    length = np.sqrt((flat * flat).sum(axis=-1, keepdims=True))
    return np.asarray(flat / np.where(length > 0, length, 1))


def gains(unmoved: np.ndarray, moved: np.ndarray) -> tuple[float, ...]:
    """Compare the likeness of each look without and after a shift."""
    return tuple(((1 - unmoved + NOISE) / (1 - moved + NOISE)).tolist())


def first_row_behind(signal: np.ndarray, share: float) -> int:
    """Return the first row that has a share of the signal in front of it; never the very first.

    Args:
        signal: ``[..., row, column]``, rows from anterior to posterior.
        share: 0 to 1.
    """
    in_front = signal.sum(axis=-1, dtype=np.float64).reshape(-1, signal.shape[-2]).sum(axis=0)
    in_front = in_front.cumsum()
    return int(np.clip(np.searchsorted(in_front, share * in_front[-1]), 1, len(in_front) - 1))
