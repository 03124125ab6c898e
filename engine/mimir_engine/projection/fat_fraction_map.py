"""The fat fraction of every voxel, for people to look at.

The networks see two planes of it, which ``projection`` computes in a fixed order of operations;
this is the map for display and for regions drawn by hand.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.fusion import FusedVolumes
from mimir_engine.projection.project import body_threshold
from mimir_engine.study.volume import Volume

#: Voxels below this part of the body threshold show air: noise divided by noise is no fraction.
AIR_BELOW = 0.25


def fat_fraction_volume(fused: FusedVolumes) -> Volume:
    """Fat / (water + fat) in percent, float32 on the grid of the volumes; 0 in air.

    Raises:
        MimirError: ``EMPTY_IMAGE`` where there is no signal anywhere.
    """
    water, fat = fused.water.array, fused.fat.array
    air = np.float32(AIR_BELOW * body_threshold(water, fat))
    fraction = np.zeros_like(water)
    for water_slice, fat_slice, target in zip(water, fat, fraction):
        total = water_slice + fat_slice
        np.divide(100 * fat_slice, total, out=target, where=total > max(air, 0))
    np.clip(fraction, 0, 100, out=fraction)
    return Volume(fraction, fused.water.affine)
