"""Compute the fat fraction of every voxel, for display and for regions drawn by hand.

The two planes that the networks see are computed in ``project``, in a fixed order of operations.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.fusion import FusedVolumes
from mimir_engine.projection.project import body_threshold
from mimir_engine.study.volume import Volume

#: Part of the body threshold below which voxels are air: a ratio of noise is not a fat fraction.
AIR_THRESHOLD = 0.25


def fat_fraction_map(fused: FusedVolumes) -> Volume:
    """Compute fat / (water + fat) in percent; this is a signal fat fraction, not PDFF.

    Returns:
        float32 on the grid of the volumes, 0 to 100; 0 in air.
    """
    water, fat = fused.water.array, fused.fat.array
    air = np.float32(AIR_THRESHOLD * body_threshold(water, fat))
    fraction = np.zeros_like(water)
    for water_slice, fat_slice, target in zip(water, fat, fraction):
        total = water_slice + fat_slice
        np.divide(100 * fat_slice, total, out=target, where=total > max(air, 0))
    np.clip(fraction, 0, 100, out=fraction)
    return Volume(fraction, fused.water.affine)
