"""Find stations that are missing as a whole, from the names and numbers of a study's series."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Optional

#: Names of the series of UK Biobank's neck-to-knee scan, which always has the same stations.
_BIOBANK = re.compile(r"Dixon_(noBH|BH_17s)_(in|opp|F|W)", re.IGNORECASE)
#: Smallest distance of two stations' water series in numbers: each has a fat series, too.
_MIN_STEP = 2


def is_biobank(descriptions: Iterable[str]) -> bool:
    """Return whether series have the names of UK Biobank's neck-to-knee scan."""
    return any(_BIOBANK.fullmatch(description.strip()) for description in descriptions)


def station_gap(
    water: Sequence[Optional[int]], taken: Collection[Optional[int]]
) -> Optional[tuple[int, int]]:
    """Return the numbers of two water series between which a station seems to be missing.

    Scanners number series in the order of the scan, so the numbers of the stations' water series
    have a constant distance. A double distance is a gap, unless another series has the number.

    Args:
        water: SeriesNumber of the water series; None if unknown.
        taken: SeriesNumber of all series of the study.
    """
    numbers = sorted({number for number in water if number is not None})
    pairs = list(zip(numbers, numbers[1:]))
    step = min((last - first for first, last in pairs), default=0)
    if step < _MIN_STEP or any((last - first) % step for first, last in pairs):
        return None
    for first, last in pairs:
        if any(number not in taken for number in range(first + step, last, step)):
            return first, last
    return None
