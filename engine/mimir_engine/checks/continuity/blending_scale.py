"""How blending scales water against fat where two stations overlap.

Fusion scales the slices of an overlap so that the mean signal changes linearly, for water and for
fat alone (``fusion.seams``). Where both are scaled differently, fat fractions change.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.fusion.fuse import Layout
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.finding import Finding

#: Scale of water over that of fat, or the inverse. Phantoms have up to 1.6, at the thighs.
MAX_SCALE = 2.0


def blending_scales(layout: Layout) -> list[float]:
    """Return for each seam the scale of water over that of fat that differs most from 1.

    Args:
        layout: Stations and their seams.
    """
    grids, (water, fat) = layout.grids, (layout.seams[c] for c in (Contrast.WATER, Contrast.FAT))
    scales = []
    for k in range(len(grids) - 1):
        last = grids[k].z.start + water[k].keep.stop
        count = last - (grids[k + 1].z.start + water[k + 1].keep.start)
        factors = [
            seam[k].weight[len(seam[k].weight) - count :] + seam[k + 1].weight[:count]
            for seam in (water, fat)
        ]
        known = (factors[0] > 0) & (factors[1] > 0)
        ratios = np.log(factors[0][known] / factors[1][known])
        scales.append(float(np.exp(ratios[np.abs(ratios).argmax()])) if len(ratios) else 1.0)
    return scales


def find_blending_scales(layout: Layout) -> list[Finding]:
    """Find seams at which blending changes fat fractions more than usual."""
    return [
        Finding(
            "SEAM_STEP",
            f"blending of stations {number} and {number + 1} (from the head) scales water"
            f" {scale:.1f} times as much as fat: fat fractions between them are wrong",
            value=scale,
            threshold=MAX_SCALE if scale > 1 else 1 / MAX_SCALE,
        )
        for number, scale in enumerate(blending_scales(layout), 1)
        if max(scale, 1 / scale) > MAX_SCALE
    ]
