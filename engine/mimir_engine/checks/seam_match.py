"""How well two neighbouring stations continue each other, and steps of signal between them."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import FatMap

#: Shifts along the body that breathing can make, and their steps, in mm.
BREATHING_MM, STEP_MM = 9.0, 1.5
#: Slices of two stations are at the same place if not farther apart, in slice distances.
NEAR = 0.6
#: Points of fat, or of lean tissue, that both stations must show.
MIN_POINTS = 12
#: Fat contrast of points that are nearly all fat; its negative, of lean tissue.
PURE = 0.5


def seam_match(upper: FatMap, lower: FatMap) -> float:
    """Compare fat, lean tissue and air of two stations where they meet.

    Args:
        upper: Station nearer to the head.
        lower: Its neighbour.

    Returns:
        Up to 1 for equal images, 0 for unrelated ones: twice the scalar product of their fat
        contrasts over the sum of their squares, as a median over slices, after the shift along the
        body that fits best.
    """
    (rows, columns), (lower_rows, lower_columns) = upper.common(lower)
    near = slice(0, max(1, int((upper.z_mm <= lower.z_mm[-1] + BREATHING_MM).sum())))
    first = min(int((lower.z_mm < upper.z_mm[0] - BREATHING_MM).sum()), len(lower.z_mm) - 1)
    match = _matches(
        upper.contrast[near, rows, columns], lower.contrast[first:, lower_rows, lower_columns]
    )
    apart = upper.z_mm[near, np.newaxis] - lower.z_mm[first:]
    best = -1.0
    for shift in np.arange(-BREATHING_MM, BREATHING_MM + STEP_MM, STEP_MM):
        distance = np.abs(apart - shift)
        nearest = (np.arange(len(distance)), distance.argmin(axis=1))
        limit = max(NEAR * lower.spacing_mm, float(distance.min()) + 1e-3)
        best = max(best, float(np.median(match[nearest][distance[nearest] <= limit])))
    return best


def _matches(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Compare each slice of one station with each of another: ``[upper, lower]``."""
    size = [np.einsum("arc,arc->a", fat, fat) for fat in (upper, lower)]
    product = np.einsum("arc,brc->ab", upper, lower)
    return np.asarray(2 * product / np.maximum(size[0][:, np.newaxis] + size[1], 1e-6))


def seam_steps(upper: FatMap, lower: FatMap) -> tuple[float, float]:
    """Compare the signals of two stations where both show fat, or both show lean tissue.

    Returns:
        How many times the signal of the upper station is that of the lower one; and how many times
        the step of fat is that of water. 1 where it cannot be known.
    """
    (rows, columns), (lower_rows, lower_columns) = upper.common(lower)
    apart = np.abs(upper.z_mm[:, np.newaxis] - lower.z_mm)
    i, j = np.nonzero(apart <= max(NEAR * lower.spacing_mm, float(apart.min()) + 1e-3))
    a, b = upper.contrast[i, rows, columns], lower.contrast[j, lower_rows, lower_columns]
    signal = upper.signal[i, rows, columns], lower.signal[j, lower_rows, lower_columns]
    steps = []
    for both in ((a > PURE) & (b > PURE), (a < -PURE) & (b < -PURE)):
        enough = np.count_nonzero(both) >= MIN_POINTS
        steps.append(float(np.median(signal[0][both] / signal[1][both])) if enough else 0.0)
    known = [step for step in steps if step > 0]
    if not known:
        return 1.0, 1.0
    return float(np.prod(known)) ** (1 / len(known)), steps[0] / steps[1] if len(known) == 2 else 1.0
