"""Find tissue that has the full signal of water and of fat at once.

A voxel has room for one of them, or for a share of each. If many have all of both, the two volumes
show different bodies, or one body in different places.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.body_sample import BodySample
from mimir_engine.study.finding import Finding

#: Slices that are looked at together: 13.5 cm.
WINDOW = 15
#: Water signal by that of lean tissue, plus fat signal by that of fat, above which a voxel with
#: both holds more than it has room for. It is 1 but for shading and noise.
MIN_DOUBLED = 1.5
#: Share of such voxels in a part of the body. Phantoms with noise, shading or ghosts have up to
#: 2 %, with one station of another gain 3.3 %, with fat of another body more than 10 %.
MAX_DOUBLED_SHARE = 0.04
#: Body in a part, as a share of that in the mean part, below which it is not looked at.
MIN_PART = 0.3


def doubled_shares(sample: BodySample) -> np.ndarray:
    """Return the share of the body with doubled signal, in each part of ``WINDOW`` slices.

    Parts with little body have NaN, as have all if no lean tissue or no fat is seen.
    """
    if len(sample.body) < WINDOW or not (sample.lean.any() and sample.fatty.any()):
        return np.full(1, np.nan)
    water, fat = sample.water[sample.lean], sample.fat[sample.fatty]
    room = sample.water / np.median(water) + sample.fat / np.median(fat)
    doubled = sample.body & ~sample.lean & ~sample.fatty & (room > MIN_DOUBLED)
    found, body = (
        np.convolve(np.count_nonzero(mask, axis=(1, 2)), np.ones(WINDOW), mode="valid")
        for mask in (doubled, sample.body)
    )
    looked_at = body > MIN_PART * body.mean()
    return np.divide(found, body, out=np.full(len(body), np.nan), where=looked_at)


def find_doubled_signal(sample: BodySample) -> list[Finding]:
    """Find that water and fat do not show the same body in the same place."""
    shares = doubled_shares(sample)
    if not np.nanmax(np.append(shares, 0.0)) > MAX_DOUBLED_SHARE:
        return []
    k = int(np.nanargmax(shares))
    share, ends = float(shares[k]), sample.z_mm[[k, k + WINDOW - 1]]
    return [
        Finding(
            "WATER_FAT_APART",
            f"in {share:.0%} of the body around z = {ends.mean():.0f} mm, water and fat both have"
            " their full signal: they do not show the same body in the same place",
            remedy="Check that water and fat are of one scan, and that neither was moved.",
            from_mm=float(ends.min()),
            to_mm=float(ends.max()),
            value=100 * share,
            threshold=100 * MAX_DOUBLED_SHARE,
            unit="%",
        )
    ]
