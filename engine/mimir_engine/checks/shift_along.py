"""Find the shift along the body at which two neighbouring stations match best.

Each slice of the upper station is compared with each of the lower one, so that one comparison
tells about all shifts, also where stations do not overlap as they lie.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.checks.seam import Seam, sample_seam
from mimir_engine.checks.seam_shift import SeamShift, gains, unit
from mimir_engine.study.station import Station

#: Distance of the points at which slices are compared, in mm.
POINTS_MM = 16.0
#: Steps in which shifts are tried, in mm: half of the smallest usual distance of slices.
STEP_MM = 1.5
#: Smaller shifts are of no interest, in mm: phantoms have up to 3, as slices are 3 to 4.5 apart.
MIN_SHIFT_MM = 7.5


def shift_along(upper: Station, lower: Station, max_shift_mm: float) -> Optional[SeamShift]:
    """Find the best shift along the body, up to ``max_shift_mm`` in both directions.

    Its looks are water and fat, and for a shift of interest the outline of the body, which moves
    less than the organs when the patient breathes.

    Returns:
        None if the stations have too few points in common.
    """
    seam = sample_seam(upper, lower, POINTS_MM, max_shift_mm)
    if seam is None:
        return None
    shifts = STEP_MM * np.arange(-(max_shift_mm // STEP_MM), max_shift_mm // STEP_MM + 1)
    place, meets = _places(seam, shifts)
    pairs = meets.sum(axis=1)
    tried = np.flatnonzero(pairs)
    if not len(tried):
        return SeamShift((0.0, 0.0, 0.0), 0.0, 0.0, (1.0,), 0)
    scores = _scores(seam.upper.signal, seam.lower.signal, place, meets)
    unmoved = tried[np.argmin(np.abs(shifts[tried]))]
    best = tried[np.argmax(scores[:, tried].sum(axis=0))]
    likeness = scores[:, best].min()
    if abs(shifts[best]) >= MIN_SHIFT_MM:
        outlines = _scores(_outline(seam.upper.signal), _outline(seam.lower.signal), place, meets)
        scores = np.concatenate([scores, outlines])
    return SeamShift(
        (0.0, 0.0, float(shifts[best])),
        float(scores[:2, unmoved].min()),
        float(likeness),
        gains(scores[:, unmoved], scores[:, best]),
        int(pairs[best]),
    )


def _places(seam: Seam, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each upper slice lies among the lower ones after each shift.

    Returns:
        ``[shift, upper slice]``: the index of a lower slice, with its fraction; and whether there
        are lower slices at that place.
    """
    z, count = seam.lower.z_mm, len(seam.lower.z_mm)
    spacing = (z[-1] - z[0]) / (count - 1) if count > 1 else 1.0
    place = (seam.upper.z_mm - shifts[:, np.newaxis] - z[0]) / spacing
    nearly = 1e-3  # rounded headers
    meets = (place > -nearly) & (place < count - 1 + nearly)
    return np.clip(place, 0, count - 1), meets


def _scores(
    upper: np.ndarray, lower: np.ndarray, place: np.ndarray, meets: np.ndarray
) -> np.ndarray:
    """Return the mean likeness ``[look, shift]`` of the slices that meet after each shift."""
    # Not as a matrix product, whose libraries start threads.
    likeness = np.einsum("aip,ajp->aij", unit(upper, 2), unit(lower, 2))
    last = lower.shape[1] - 1
    below = np.minimum(place.astype(int), max(last - 1, 0))
    share = place - below
    row = np.arange(upper.shape[1])
    values = (1 - share) * likeness[:, row, below]
    values += share * likeness[:, row, np.minimum(below + 1, last)]
    return np.asarray((values * meets).sum(axis=2) / np.maximum(meets.sum(axis=1), 1))


def _outline(signal: np.ndarray) -> np.ndarray:
    """Return 1 between the left and the right end of the body in each row, 0 outside.

    Args:
        signal: ``[contrast, slice, row, column]``.

    Returns:
        float32 ``[1, slice, row, column]``.
    """
    total = signal.sum(axis=0)
    body = total > total.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    filled = np.maximum.accumulate(body, axis=2)
    filled &= np.maximum.accumulate(body[:, :, ::-1], axis=2)[:, :, ::-1]
    return filled[np.newaxis].astype(np.float32)
