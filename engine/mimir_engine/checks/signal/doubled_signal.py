"""Find tissue that has the full signal of water and of fat at once.

A voxel has room for one of them, or for a share of each. If many have all of both, the two volumes
show different bodies, or one body in different places.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.body_sample import BodySample
from mimir_engine.fusion.moving_sum import moving_sum
from mimir_engine.study.finding import Finding

#: Every so many of the sampled slices is looked at, 27 mm apart; five together show 13.5 cm.
STEP, WINDOW = 3, 5
#: Distance in sampled voxels, about 2 cm, within which pure lean tissue and pure fat of a slice
#: tell how bright a full voxel is; so shading does not matter.
NEAR = 2
#: Content of a voxel, 1 if it is full, above which it holds more than it has room for.
MIN_DOUBLED = 1.5
#: Share of such voxels in a part of the body. Phantoms with noise, shading, ghosts or another gain
#: have up to 0.6 %, with fat of another body in one station 2.5 % or more, in all stations 15 %.
MAX_DOUBLED_SHARE = 0.01
#: Body in a part, as a share of that in the mean part, below which it is not looked at.
MIN_PART = 0.3


def doubled_shares(sample: BodySample) -> np.ndarray:
    """Return the share of the body with doubled signal, in each part of ``WINDOW`` slices.

    Parts with little body have NaN, as have all if no lean tissue or no fat is seen.
    """
    lean, fatty, body = (mask[::STEP] for mask in (sample.lean, sample.fatty, sample.body))
    if len(body) < WINDOW or not (lean.any() and fatty.any()):
        return np.full(1, np.nan)
    water, fat = sample.water[::STEP], sample.fat[::STEP]
    signal = water / np.median(water[lean]) + fat / np.median(fat[fatty])
    is_pure = lean | fatty
    count, full = is_pure, np.where(is_pure, signal, 0)
    for axis in (1, 2):
        count, full = moving_sum(count, NEAR, axis), moving_sum(full, NEAR, axis)
    doubled = body & ~is_pure & (count > 0.5) & (signal * count > MIN_DOUBLED * full)
    found, seen = (
        np.convolve(np.count_nonzero(mask, axis=(1, 2)), np.ones(WINDOW), mode="valid")
        for mask in (doubled, body)
    )
    looked_at = seen > MIN_PART * seen.mean()
    return np.divide(found, seen, out=np.full(len(seen), np.nan), where=looked_at)


def find_doubled_signal(sample: BodySample) -> list[Finding]:
    """Find that water and fat do not show the same body in the same place."""
    shares = doubled_shares(sample)
    if not np.nanmax(np.append(shares, 0.0)) > MAX_DOUBLED_SHARE:
        return []
    k = int(np.nanargmax(shares))
    share, ends = float(shares[k]), sample.z_mm[::STEP][[k, k + WINDOW - 1]]
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
