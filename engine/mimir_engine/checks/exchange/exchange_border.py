"""The column at which an exchange of water and fat on one side of the body ends."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import agreement, bright_signal, fat_contrast
from mimir_engine.study.station import Station

#: Distance from the middle of the body up to which the border is looked for, in mm.
REACH_MM = 90.0
#: Slices that are looked at, at most.
MAX_SLICES = 24
#: Common body of the columns between the legs, as a share of the largest: there is none, almost.
MAX_GAP = 0.1


def border_column(station: Station, slices: slice, side: int, middle_mm: float) -> int:
    """Find the first column of the left part.

    At the border fat meets lean tissue in all of the body. Between the legs there is no body: the
    skin of the exchanged leg seems to be lean, that of the other is fat.

    Args:
        station: A station.
        slices: Those of the exchange.
        side: The exchanged side, 0 right or 1 left.
        middle_mm: Patient x in the middle of the body.
    """
    x, dx, columns = float(station.affine[0, 3]), station.spacing_mm[0], station.shape[2]
    first = int(np.clip(round((middle_mm - REACH_MM - x) / dx), 0, columns - 2))
    last = int(np.clip(round((middle_mm + REACH_MM - x) / dx), first + 2, columns))
    step = max(1, (slices.stop - slices.start) // MAX_SLICES)
    block = (slice(slices.start, slices.stop, step), slice(None), slice(first, last))
    water, fat = (image[block].astype(np.float32) for image in (station.water, station.fat))
    contrast, body = fat_contrast(water, fat, bright_signal(station))
    match, weight = agreement(contrast[:, :, 1:], contrast[:, :, :-1], (0, 1))
    score = -match * weight
    if weight.min() <= MAX_GAP * weight.max():
        skin = _skin(contrast, body)
        beyond = skin.sum() - 2 * np.cumsum(skin)[:-1]
        score += beyond if side == 0 else -beyond
    middle = (middle_mm - x) / dx - first - 0.5
    near = np.abs(np.arange(len(score)) - middle)
    return first + 1 + int(np.lexsort((near, -score.round(3)))[0])


def _skin(contrast: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Return the fat contrast of pixels beside air, summed up for each column."""
    inside = np.zeros_like(body)
    inside[:, :, 1:-1] = body[:, :, :-2] & body[:, :, 2:]
    return np.asarray((contrast * (body & ~inside)).sum(axis=(0, 1), dtype=np.float64))
