"""The column at which an exchange of water and fat on one side of the body ends."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import bright_signal, fat_contrast
from mimir_engine.study.station import Station

#: Distance from the middle of the body up to which the border is looked for, in mm.
REACH_MM = 90.0
#: Slices that are looked at, at most.
MAX_SLICES = 24


def border_column(station: Station, slices: slice, middle_mm: float) -> int:
    """Find the first column of the left part.

    At the border fat meets lean tissue in all of the body; between the legs there is no body, and
    the border is in the middle of the gap.

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
    match = np.einsum("krc,krc->c", contrast[:, :, 1:], contrast[:, :, :-1])
    if match.min(initial=0.0) < 0:
        return first + 1 + int(match.argmin())
    lowest = np.flatnonzero(match <= match.min(initial=0.0))
    middle = (middle_mm - x) / dx - first
    return first + 1 + int(lowest[np.abs(lowest + 0.5 - middle).argmin()]) if len(lowest) else first
