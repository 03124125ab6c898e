"""Find UK Biobank's codes for missing answers among labels."""

from __future__ import annotations

import numpy as np

#: Negative codes of UK Biobank for "do not know" (-1), "prefer not to answer" (-3), "none of the
#: above" (-7), "less than one" (-10), and others of their kind, such as "ongoing" (-313).
MISSING_CODES = (*range(-7, 0), -10, -11, -13, -17, -21, -23, -27, -121, -313, -818)


def coded_missing(values: np.ndarray) -> np.ndarray:
    """Return which values are a code for a missing answer: bool, in the same shape."""
    return np.isin(values, MISSING_CODES)


def only_codes_are_negative(values: np.ndarray) -> bool:
    """Return whether some values are negative, and all of those are codes."""
    negative = values < 0
    return bool(negative.any()) and bool(coded_missing(values[negative]).all())
