"""Whether the rim of the body is fatter than what lies inside: the sign of water and fat."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.fat_map import POINTS_MM, bright_signal, fat_contrast
from mimir_engine.study.station import Station

#: Each how many slices are looked at.
SLICE_STEP = 4
#: Depth of the rim and of the inside, in mm from the edge of the body.
RIM_MM, INSIDE_MM = 5.0, (20.0, 36.0)


def fatty_rim(station: Station, middle_mm: float) -> np.ndarray:
    """Compare the rim with the inside along rows, from the right and from the left.

    The rim of a thick layer is fat itself; that of a thin one is at least fatter than the muscle
    behind it.

    Args:
        station: Its slices.
        middle_mm: Patient x between right and left half.

    Returns:
        ``[side, 2, slice]``, right before left: twice the fat contrast of the rim minus that of the
        inside, which is positive where water and fat are right; and the number of rows behind it.
    """
    step = max(1, round(POINTS_MM[1] / station.spacing_mm[1]))
    lines = (slice(None, None, SLICE_STEP), slice(step // 2, None, step))
    water, fat = (image[lines].astype(np.float32) for image in (station.water, station.fat))
    contrast, body = fat_contrast(water, fat, bright_signal(station))
    (x, dx), columns = (float(station.affine[0, 3]), station.spacing_mm[0]), station.shape[2]
    middle = int(np.clip(round((middle_mm - x) / dx), 0, columns))
    votes = np.zeros((2, 2, station.shape[0]))
    for side, half in enumerate((slice(0, middle), slice(columns, max(middle - 1, 0), -1))):
        votes[side, :, ::SLICE_STEP] = _rim_votes(contrast[:, :, half], body[:, :, half], dx)
    return votes


def _rim_votes(contrast: np.ndarray, body: np.ndarray, dx: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean vote and number of rows of each slice; columns run into the body."""
    deep = int(INSIDE_MM[1] / dx) + 1
    if body.shape[2] < deep:
        return np.zeros(len(body)), np.zeros(len(body))
    edge = body.argmax(axis=2)[:, :, np.newaxis]
    depth = np.minimum(edge + np.arange(deep), body.shape[2] - 1)
    line = np.take_along_axis(contrast, depth, axis=2)
    whole = np.take_along_axis(body, depth, axis=2).all(axis=2)
    rim = line[:, :, : max(1, round(RIM_MM / dx))].mean(axis=2)
    inside = line[:, :, round(INSIDE_MM[0] / dx) :].mean(axis=2)
    count = whole.sum(axis=1)
    total = ((2 * rim - inside) * whole).sum(axis=1, dtype=np.float64)
    return total / np.maximum(count, 1), count
