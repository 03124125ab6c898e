"""Summarise the fat fractions of each label."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Optional

import numpy as np

#: Fractions are added up as whole numbers of this part of a percent, which is finer than float32:
#: so the sum is exact, and depends neither on the order of voxels nor on the processor.
PARTS_PER_PERCENT = 2**24
#: Fat fraction above which a voxel holds more fat than lean tissue.
MOSTLY_FAT_PERCENT = 50.0
#: Values that are added up at once: 8 MB as double precision.
MAX_AT_ONCE = 2**20


@dataclass(frozen=True)
class FatFractions:
    """Fat fractions of one label in percent.

    Attributes:
        voxels: Number of voxels with a fat fraction.
        mean: Their mean; None without voxels.
        median: Their median.
        q1: First quartile, interpolated linearly.
        q3: Third quartile.
        fatty: Number of voxels with more than `MOSTLY_FAT_PERCENT`.
    """

    voxels: int = 0
    mean: Optional[float] = None
    median: Optional[float] = None
    q1: Optional[float] = None
    q3: Optional[float] = None
    fatty: int = 0


#: Labels and fat fractions of the voxels of a slice.
Plane = tuple[np.ndarray, np.ndarray]


def fat_fractions(planes: Callable[[], Iterable[Plane]], labels: np.ndarray) -> list[FatFractions]:
    """Summarise the fat fraction of each label; 4 bytes are needed per voxel.

    Args:
        planes: Returns label and fat fraction in percent of all voxels that have one, slice by
            slice; it is called twice.
        labels: All labels, uint16, growing.
    """
    rows = np.full(int(labels.max(initial=0)) + 1, -1, np.int32)
    rows[labels] = np.arange(len(labels))
    counts = np.zeros(len(labels), np.int64)
    for numbers, _ in planes():
        counts += np.bincount(rows[numbers], minlength=len(labels))
    ends = counts.cumsum()
    filled, values = ends - counts, np.empty(int(counts.sum()), np.float32)
    for numbers, fractions in planes():
        order = np.argsort(numbers, kind="stable")
        found, first = np.unique(numbers[order], return_index=True)
        for row, part in zip(rows[found], np.split(fractions[order], first[1:])):
            values[filled[row] : filled[row] + len(part)] = part
            filled[row] += len(part)
    return [_summary(values[end - count : end]) for end, count in zip(ends, counts)]


def _summary(values: np.ndarray) -> FatFractions:
    if not len(values):
        return FatFractions()
    pieces = np.array_split(values, -(-len(values) // MAX_AT_ONCE))
    total = sum(
        int(np.rint(PARTS_PER_PERCENT * piece.astype(np.float64)).sum()) for piece in pieces
    )
    mean = total / (len(values) * PARTS_PER_PERCENT)
    q1, median, q3 = (_quantile(values, share) for share in (0.25, 0.5, 0.75))
    fatty = int(np.count_nonzero(values > MOSTLY_FAT_PERCENT))
    return FatFractions(len(values), mean, median, q1, q3, fatty)


def _quantile(values: np.ndarray, share: float) -> float:
    """Return a quantile, interpolated linearly; the values change their places."""
    position = share * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    values.partition((below, above))
    low, high = float(values[below]), float(values[above])
    return low + (position - below) * (high - low)
