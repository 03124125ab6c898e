"""The column at which an exchange of water and fat on one side of the body ends."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import agreement, bright_signal, fat_contrast
from mimir_engine.study.station import Station

#: Distance from the middle of the body up to which the border is looked for, in mm.
REACH_MM = 90.0
#: Slices that are looked at, at most.
MAX_SLICES = 24
#: Agreement of two columns at the border, at most. Rim and muscle of thin legs reach -0.4.
MAX_MATCH = -0.42
#: Pixels with body on both sides that a border needs.
MIN_POINTS = 3.0


def border_column(station: Station, slices: slice, middle_mm: float) -> int:
    """Find the first column of the left part.

    At the border fat meets lean tissue in all of the body; between the legs there is no body, and
    the border is somewhere in the gap.

    Args:
        station: A station.
        slices: Those of the exchange.
        middle_mm: Patient x in the middle of the body.
    """
    x, dx, columns = float(station.affine[0, 3]), station.spacing_mm[0], station.shape[2]
    first = int(np.clip(round((middle_mm - REACH_MM - x) / dx), 0, columns - 1))
    last = int(np.clip(round((middle_mm + REACH_MM - x) / dx), first + 1, columns))
    step = max(1, (slices.stop - slices.start) // MAX_SLICES)
    block = (slice(slices.start, slices.stop, step), slice(None), slice(first, last))
    water, fat = (image[block].astype(np.float32) for image in (station.water, station.fat))
    contrast, _ = fat_contrast(water, fat, bright_signal(station))
    match, weight = agreement(contrast[:, :, 1:], contrast[:, :, :-1], (0, 1))
    opposed = np.flatnonzero((match <= MAX_MATCH) & (weight >= MIN_POINTS))
    if len(opposed):
        return first + 1 + int(opposed[(match * weight)[opposed].argmin()])
    distance = np.abs(np.arange(first, last - 1) + 0.5 - (middle_mm - x) / dx)
    gap = np.lexsort((distance, weight))
    return first + 1 + int(gap[0])
