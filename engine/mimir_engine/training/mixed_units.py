"""Find values of one column that are given in different units: heights in m and in cm.

The logarithms of such values form two groups that are one, two or three decades apart. Two groups
are told from the tail of one by their distance in units of their own spread: halves of a normal
distribution are 2.6 apart, and of skewed ones rarely more than 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

#: Distance of two groups in units of their spread, and of a few values from all others.
MIN_DISTANCE, MIN_DISTANCE_OF_FEW = 4.5, 8.0
#: Share of values, and number, up to which a group counts as a few.
FEW, FEW_VALUES = 0.02, 15
#: Largest difference of the groups' distance from a power of ten, in decades: people differ, too.
MAX_DEVIATION = 0.12
#: Decades between common units of one quantity: 1 of mm and cm, 2 of cm and m, 3 of g and kg.
MAX_DECADES = 3
#: Between two groups, beyond this share of their distance from both, lie few values; those of a
#: long tail follow each other.
VALLEY = 0.35
#: Values there, as a share of the smaller group.
MAX_BETWEEN = 0.3
#: Fewer values do not show their spread.
MIN_VALUES = 20
#: Smallest spread in decades: 1 %, so that equal values have one.
MIN_SPREAD = 0.005


@dataclass(frozen=True)
class MixedUnits:
    """Two groups of values.

    Attributes:
        factor: The larger values are about this many times the smaller.
        smaller: Number of the smaller values.
        larger: Number of the larger values.
    """

    factor: int
    smaller: int
    larger: int


def find_mixed_units(values: np.ndarray) -> Optional[MixedUnits]:
    """Return the two groups of values that differ by a factor of 10, 100 or 1,000, if any do.

    Args:
        values: float64 ``(values,)``; gaps, zeros and negative values are passed over.
    """
    decades = np.sort(np.log10(values[np.isfinite(values) & (values > 0)]))
    count = len(decades)
    if count < MIN_VALUES:
        return None
    below = np.arange(1, count)
    above = count - below
    sums, squares = np.cumsum(decades), np.cumsum(decades**2)
    low = sums[:-1] / below
    high = (sums[-1] - sums[:-1]) / above
    inside = squares[-1] - below * low**2 - above * high**2
    spread = np.maximum(np.sqrt(np.maximum(inside, 0.0) / count), MIN_SPREAD)
    fewer, apart = np.minimum(below, above), high - low
    needed = np.where(fewer > max(FEW * count, FEW_VALUES), MIN_DISTANCE, MIN_DISTANCE_OF_FEW)
    valley = np.searchsorted(decades, high - VALLEY * apart) - np.searchsorted(
        decades, low + VALLEY * apart
    )
    powers = np.clip(np.rint(apart), 1, MAX_DECADES)
    fits = np.abs(apart - powers) <= MAX_DEVIATION + 3 * spread / np.sqrt(fewer)
    fits &= valley <= MAX_BETWEEN * fewer
    distance = np.where(fits, apart / (needed * spread), 0.0)
    split = int(np.argmax(distance))
    if distance[split] < 1.0:
        return None
    return MixedUnits(10 ** int(powers[split]), int(below[split]), int(above[split]))
