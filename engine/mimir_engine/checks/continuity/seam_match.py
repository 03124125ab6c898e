"""Find neighbouring stations that do not continue each other."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import FatMap
from mimir_engine.study.finding import STOP, WARNING, Finding

#: Shifts along the body that breathing can make, and their steps, in mm.
BREATHING_MM, STEP_MM = 9.0, 1.5
#: Slices of two stations are at the same place if not farther apart, in slice distances.
NEAR = 0.6
#: How well neighbouring stations match at least. Phantoms have 0.86 or more, also with 15 mm of
#: breathing; a station that is mirrored, reversed, or of another person 0.8 or less.
MIN_MATCH = 0.82
#: Below, they cannot be neighbours.
MIN_POSSIBLE_MATCH = 0.5


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


def find_mismatch(upper: FatMap, lower: FatMap, number: int) -> list[Finding]:
    """Find out whether two stations show the same body where they meet.

    Args:
        upper: Station nearer to the head.
        lower: Its neighbour.
        number: Number of the upper one, from the head.

    Returns:
        ``SEAM_MISMATCH``, a stop if it is certain.
    """
    match = seam_match(upper, lower)
    if match >= MIN_MATCH:
        return []
    certain = match < MIN_POSSIBLE_MATCH
    return [
        Finding(
            "SEAM_MISMATCH",
            f"stations {number} and {number + 1} (from the head) do not continue each other: one of"
            " them may be mirrored, reversed, in a wrong place or of another person",
            STOP if certain else WARNING,
            "Look at both stations, and get the original images.",
            value=match,
            threshold=MIN_POSSIBLE_MATCH if certain else MIN_MATCH,
        )
    ]
