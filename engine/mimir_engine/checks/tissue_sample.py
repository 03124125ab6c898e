"""Tell lean tissue, fat and air apart in the sparse pixels of a station."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mimir_engine.checks.pixel_sample import Sample
from mimir_engine.headers.contrast import Contrast

#: Signal of the body's darkest tissue and of its edge, as a share of the mean signal of the body.
MIN_BODY_SHARE = 0.4
#: Signal fat fraction below which tissue is lean, and above which it is fat.
MAX_LEAN_FRACTION, MIN_FAT_FRACTION = 0.3, 0.7


@dataclass(frozen=True)
class TissueSample:
    """Sparse pixels of one station, ``[slice, row, column]``, and what they show.

    Attributes:
        water: Water signal, float32.
        fat: Fat signal, float32.
    """

    water: np.ndarray
    fat: np.ndarray

    @cached_property
    def total(self) -> np.ndarray:
        """Sum of water and fat."""
        return np.asarray(self.water + self.fat)

    @cached_property
    def level(self) -> float:
        """Mean total signal of the body; 0 if all is dark."""
        return body_level(self.total)

    @cached_property
    def body(self) -> np.ndarray:
        """True in the body, without lungs, gas and cortical bone."""
        return np.asarray(self.total > MIN_BODY_SHARE * self.level)

    @cached_property
    def lean(self) -> np.ndarray:
        """True in lean tissue."""
        return np.asarray(self.body & (self.fat < MAX_LEAN_FRACTION * self.total))

    @cached_property
    def fatty(self) -> np.ndarray:
        """True in fat."""
        return np.asarray(self.body & (self.fat > MIN_FAT_FRACTION * self.total))

    @cached_property
    def air(self) -> np.ndarray:
        """True outside the body, one pixel or more from it."""
        return ~_beside(_filled(self.body))


def tissue_sample(sample: Sample) -> TissueSample:
    """Convert the sparse pixels of a station."""
    water, fat = (sample[c].astype(np.float32) for c in (Contrast.WATER, Contrast.FAT))
    return TissueSample(water, fat)


def body_level(total: np.ndarray) -> float:
    """Return the mean signal of the body: of all that is brighter than the mean of the image."""
    bright = total[total > total.mean(dtype=np.float64)]
    return float(bright.mean(dtype=np.float64)) if bright.size else 0.0


def _filled(body: np.ndarray) -> np.ndarray:
    """Fill each row between its first and its last pixel of the body."""
    column = np.arange(body.shape[2])
    first, last = body.argmax(axis=2), column[-1] - body[:, :, ::-1].argmax(axis=2)
    is_between = (column >= first[..., np.newaxis]) & (column <= last[..., np.newaxis])
    return is_between & body.any(axis=2, keepdims=True)


def _beside(mask: np.ndarray) -> np.ndarray:
    """Add the pixels beside a mask, in its slices."""
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    grown[:, :, 1:] |= grown[:, :, :-1].copy()
    grown[:, :, :-1] |= grown[:, :, 1:].copy()
    return grown
