"""Find slices that fit another place of their station better than their own."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import FatMap

#: Difference of slices that noise and small structures can make, as a share of their size.
NOISE = 0.04
#: Slices with less body than this share of the station's largest tell nothing.
MIN_BODY = 0.1


def disorder(station: FatMap) -> float:
    """Return how many times a slice differs more from the next one than from another.

    At most about 1 if slices are in order: nothing is more like a slice than its neighbours.
    """
    fat = station.contrast
    product = np.einsum("arc,brc->ab", fat, fat)
    size = np.diag(product)
    fat = fat[size > MIN_BODY * size.max(initial=0.0)]
    keep = size > MIN_BODY * size.max(initial=0.0)
    product, size = product[keep][:, keep], size[keep]
    if len(size) < 3:
        return 1.0
    mean_size = (size[:, np.newaxis] + size) / 2
    difference = (mean_size - product) / mean_size + NOISE
    step = np.diagonal(difference, 1)
    index = np.arange(len(size))
    beyond = np.where(index[:, np.newaxis] + 1 < index, difference, np.inf)
    before, after = beyond[:-1].min(axis=1), beyond[:, 1:].min(axis=0)
    return float(np.maximum(step / before, step / after).max())
