"""Compute the fat fraction of every voxel, for display and for regions drawn by hand.

The two planes that the networks see are computed in ``project``, in a fixed order of operations.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.common_fade import common_slices
from mimir_engine.projection.project import body_threshold
from mimir_engine.study.volume import Volume

#: Part of the body threshold below which voxels are air: a ratio of noise is not a fat fraction.
AIR_THRESHOLD = 0.25


def fat_fraction_map(fused: FusedVolumes) -> Volume:
    """Compute fat / (water + fat) in percent; this is a signal fat fraction, not PDFF.

    Where stations overlap, water and fat have common weights; see ``fusion.common_fade``.

    Returns:
        float32 on the grid of the volumes, 0 to 100; 0 in air.
    """
    air = np.float32(AIR_THRESHOLD * body_threshold(fused.water.array, fused.fat.array))
    fraction = np.zeros_like(fused.water.array)
    for (water, fat), target in zip(common_slices(fused), fraction):
        total = water + fat
        np.divide(100 * fat, total, out=target, where=total > max(air, 0))
    np.clip(fraction, 0, 100, out=fraction)
    return Volume(fraction, fused.water.affine)
