"""Find the shift along the body at which two neighbouring stations match best.

Each slice of the upper station is compared with each of the lower one, so that one comparison
tells about all shifts, also where stations do not overlap as they lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.checks.continuity.seam_shift import SeamShift, first_row_behind, gains, unit
from mimir_engine.checks.seam import Seam, sample_seam
from mimir_engine.study.station import Station

#: Distance of the points at which slices are compared, in mm.
POINTS_MM = 16.0
#: Steps in which shifts are tried, in mm: half of the smallest usual distance of slices.
STEP_MM = 1.5
#: Smaller shifts are of no interest, in mm: phantoms have up to 3, as slices are 3 to 4.5 apart.
MIN_SHIFT_MM = 7.5
#: The back: the part behind this share of the signal.
BACK = 0.7


def shift_along(upper: Station, lower: Station, max_shift_mm: float) -> Optional[SeamShift]:
    """Find the best shift along the body, up to ``max_shift_mm`` in both directions.

    Its looks are water and fat, and for a shift of interest also the back alone and the outline of
    the body. Breathing moves the back least, on which the patient lies.

    Returns:
        None if the stations have too few points in common, or all their slices are blank.
    """
    seam = sample_seam(upper, lower, POINTS_MM, max_shift_mm)
    if seam is None:
        return None
    shifts = STEP_MM * np.arange(-(max_shift_mm // STEP_MM), max_shift_mm // STEP_MM + 1)
    meetings = _meetings(seam, shifts)
    pairs = meetings.valid.sum(axis=1)
    tried = np.flatnonzero(pairs)
    if not len(tried):
        return None
    scores = _scores(seam.upper.signal, seam.lower.signal, meetings)
    unmoved = tried[np.argmin(np.abs(shifts[tried]))]
    best = tried[np.argmax(scores[:, tried].sum(axis=0))]
    likeness = scores[:, best].min()
    if abs(shifts[best]) >= MIN_SHIFT_MM:
        first = first_row_behind(seam.upper.signal, BACK)
        back = _scores(seam.upper.signal[:, :, first:], seam.lower.signal[:, :, first:], meetings)
        outline = _scores(_outline(seam.upper.signal), _outline(seam.lower.signal), meetings)
        scores = np.concatenate([scores, back.mean(axis=0, keepdims=True), outline])
    return SeamShift(
        (0.0, 0.0, float(shifts[best])),
        float(scores[:2, unmoved].min()),
        float(likeness),
        gains(scores[:, unmoved], scores[:, best]),
        int(pairs[best]),
    )


@dataclass(frozen=True)
class _Meetings:
    """The lower slices that lie at the place of each upper slice after each shift.

    Attributes:
        below: ``[shift, upper slice]``: index of the lower slice at or below that place.
        share: Weight of the slice above that one, 0 to 1.
        valid: Whether there are such slices, and all of them show something.
    """

    below: np.ndarray
    share: np.ndarray
    valid: np.ndarray


def _meetings(seam: Seam, shifts: np.ndarray) -> _Meetings:
    z, last = seam.lower.z_mm, len(seam.lower.z_mm) - 1
    spacing = (z[-1] - z[0]) / last if last else 1.0
    place = (seam.upper.z_mm - shifts[:, np.newaxis] - z[0]) / spacing
    nearly = 1e-3  # rounded headers
    valid = (place > -nearly) & (place < last + nearly)
    place = np.clip(place, 0, last)
    below = np.minimum(place.astype(int), max(last - 1, 0))
    shows = seam.lower.shows
    valid &= seam.upper.shows & shows[below] & shows[np.minimum(below + 1, last)]
    return _Meetings(below, place - below, valid)


def _scores(upper: np.ndarray, lower: np.ndarray, meetings: _Meetings) -> np.ndarray:
    """Return the likeness ``[look, shift]`` of the slices that meet after each shift.

    It is their median, which a few damaged slices do not change; 0 where none meet.
    """
    # Not as a matrix product, whose libraries start threads.
    likeness = np.einsum("aip,ajp->aij", unit(upper, 2), unit(lower, 2))
    row = np.arange(upper.shape[1])
    below, above = meetings.below, np.minimum(meetings.below + 1, lower.shape[1] - 1)
    values = (1 - meetings.share) * likeness[:, row, below]
    values += meetings.share * likeness[:, row, above]
    values = np.sort(np.where(meetings.valid, values, np.inf), axis=2)
    count = meetings.valid.sum(axis=1)
    shift = np.arange(len(count))
    middle = (values[:, shift, (count - 1) // 2] + values[:, shift, count // 2]) / 2
    return np.where(count > 0, middle, 0.0)


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
