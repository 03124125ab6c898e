"""Distinguish differences from rounding errors.

Every library sums in its own order, so a sum that is zero in exact arithmetic comes out as
about 1e-16 of its terms on one processor and as zero on another. No result may depend on this:
comparisons with zero use these functions.
"""

from __future__ import annotations

from typing import Union

import numpy as np

Number = Union[float, np.ndarray]

#: Differences smaller than this part of the values are rounding errors. A double is exact to 1e-16
#: of its value and a sum of n terms to n times that at worst, to its root as a rule; so this covers
#: the sums of a hundred thousand studies, and lies far below the last digit of any measurement.
ROUNDING = 1e-12


def is_rounding(differences: Number, values: Number) -> bool:
    """Return whether all differences are rounding errors of the values they come from."""
    largest = np.abs(values).max(initial=0.0)
    return bool(np.abs(differences).max(initial=0.0) <= ROUNDING * largest)


def squares_around_mean(count: Number, total: Number, squares: Number, size: Number) -> np.ndarray:
    """Sum squares around the values' own mean; NaN if the sum is only rounding errors.

    Args:
        count: Number of values.
        total: Sum of the values, each less a common centre.
        squares: Sum of the squares of these.
        size: Largest size of a value before the centre was subtracted.
    """
    around = squares - total**2 / count
    errors = ROUNDING * squares + count * (ROUNDING * size) ** 2
    return np.where(around > errors, around, np.nan)
