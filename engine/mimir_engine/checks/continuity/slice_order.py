"""Find slices that fit another place of their station better than their own."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import FatMap
from mimir_engine.study.finding import Finding

#: Difference of slices that noise and small structures can make, in points of the fat map.
NOISE = 35.0
#: Slices with less body than this share of the station's largest tell nothing.
MIN_BODY = 0.1
#: Slices that a station must have.
MIN_SLICES = 4
#: How many times a slice may differ more from its neighbour than from another. Phantoms have 1.4 at
#: most, at the knees; two slices that are exchanged over half a station 2 or more.
MAX_DISORDER = 1.6


def disorder(station: FatMap) -> float:
    """Return how many times a slice differs more from the next one than from another.

    At most about 1 if slices are in order: nothing is more like a slice than its neighbours.
    """
    fat = station.contrast
    size = np.einsum("krc,krc->k", fat, fat)
    fat = fat[size > MIN_BODY * size.max(initial=0.0)]
    if len(fat) < MIN_SLICES:
        return 1.0
    product = np.einsum("arc,brc->ab", fat, fat)
    size = (np.diag(product)[:, np.newaxis] + np.diag(product)) / 2
    difference = (size - product + NOISE) / size
    index = np.arange(len(fat))
    beyond = np.where(index[:, np.newaxis] + 1 < index, difference, np.inf)
    step = np.diagonal(difference, 1)
    return float(np.maximum(step / beyond[:-1].min(axis=1), step / beyond[:, 1:].min(axis=0)).max())


def find_disorder(station: FatMap, number: int) -> list[Finding]:
    """Find out whether slices of a station are in a wrong order.

    Args:
        station: Its fat map.
        number: Its number, from the head.
    """
    value = disorder(station)
    if value <= MAX_DISORDER:
        return []
    return [
        Finding(
            "SLICES_DISORDERED",
            f"slices of station {number} (from the head) seem to be in a wrong order: one fits"
            " another place better than its own",
            remedy="Look at the station's slices, and get the original images.",
            station=number,
            value=value,
            threshold=MAX_DISORDER,
        )
    ]
