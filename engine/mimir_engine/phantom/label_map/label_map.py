"""Label the voxels of a scan's fused volumes, and measure what is true of each label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mimir_engine.phantom.body import Body
from mimir_engine.phantom.label_map.ellipse_painter import EllipsePainter
from mimir_engine.phantom.label_map.map_layout import map_layout
from mimir_engine.phantom.label_map.names import LABELS, labels_at
from mimir_engine.phantom.label_map.painted_slice import PaintedSlice, Painter
from mimir_engine.phantom.label_map.smooth_painter import SmoothPainter
from mimir_engine.phantom.rician_noise import rician_mean
from mimir_engine.phantom.scan import Scan
from mimir_engine.phantom.scanner import COLUMNS_X_MM

#: Shares of a voxel are compared in these steps, so that none of them hangs on a rounding error.
SHARE_STEPS = 4096
#: Share of a voxel that the tissue of its label covers, in steps: a half.
MIN_SHARE = SHARE_STEPS // 2


@dataclass(frozen=True)
class PhantomLabels:
    """The true labels of a scan, and what the painted slices show.

    Attributes:
        array: Number of each voxel's label, 0 without one: uint8 ``[slice, row, column]``.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres.
        fat_fractions: For each slice, of its voxels with a label, row by row: without noise, and
            as expected with noise; float32 ``(2, voxels)``, 0..1.
        covered: Number of voxels that the tissue of each label fills, partial ones counted by
            their shares: ``(labels + 1,)``.
        painter: Knows the signals of the tissues.
    """

    array: np.ndarray
    affine: np.ndarray
    fat_fractions: tuple[np.ndarray, ...]
    covered: np.ndarray
    painter: Painter

    @property
    def voxel_l(self) -> float:
        """Volume of a voxel (L)."""
        return float(np.prod(np.diag(self.affine)[:3])) / 1e6


def phantom_labels(scan: Scan) -> tuple[np.ndarray, np.ndarray, Mapping[int, str]]:
    """Label the voxels of a scan's fused volumes.

    Returns:
        Numbers, uint8 ``[slice, row, column]`` of the shape of ``fuse(stations_of(scan))``; their
        ``(4, 4)`` affine to LPS mm; the names of all labels by their numbers.
    """
    labels = label_scan(scan)
    return labels.array, labels.affine, {number: own.name for number, own in LABELS.items()}


def label_scan(scan: Scan) -> PhantomLabels:
    """Paint the slices of a scan, mix them as fusion does, and label the voxels.

    A voxel has the label whose tissue covers most of it, and at least half. A fused slice shows
    the body as the station with the largest weight in it found it, within that station's rows.
    """
    layout = map_layout(scan.stations)
    painter = painter_of(scan)
    array = np.zeros(layout.shape, np.uint8)
    fat_fractions = []
    covered = np.zeros(len(LABELS) + 1)

    @lru_cache(maxsize=2)  # neighbours show the same slices
    def paint(station: int, index: int) -> PaintedSlice:
        return painter.paint(scan.stations[station], index)

    for k, shown in enumerate(layout.slices):
        first, second = (paint(shown.station, i) for i in (shown.first, shown.second))
        painted = first.towards(second, shown.weight)
        numbers = labels_at(layout.z(k), scan.person)
        rows = scan.stations[shown.station].window
        labels = label_pixels(painted, numbers)
        array[k, rows] = labels
        fat_fractions.append(_fat_fractions(painted, labels > 0))
        covered += _covered(painted, numbers)
    return PhantomLabels(array, layout.affine, tuple(fat_fractions), covered, painter)


def painter_of(scan: Scan) -> Painter:
    """Return what paints the slices of a scan."""
    if isinstance(scan.seen, Body):
        return EllipsePainter(scan.seen)
    return SmoothPainter(scan.seen, scan.conditions)


def label_pixels(painted: PaintedSlice, numbers: np.ndarray) -> np.ndarray:
    """Find the label of each pixel; of equal shares the first tissue of ``TISSUES`` counts.

    Args:
        painted: A slice.
        numbers: Labels of the tissues on the right and on the left side; see `labels_at`.

    Returns:
        uint8 ``(rows, columns)``, 0 without a label.
    """
    shares = np.rint(painted.shares * np.float32(SHARE_STEPS))
    is_left = (painted.middle <= COLUMNS_X_MM).astype(np.intp)
    labels = numbers[is_left, shares.argmax(axis=0)]
    return np.where(shares.max(axis=0) >= MIN_SHARE, labels, np.uint8(0))


def _fat_fractions(painted: PaintedSlice, chosen: np.ndarray) -> np.ndarray:
    """Compute fat fractions of pixels without noise, and as expected with it: ``(2, pixels)``.

    An image shows magnitudes, so noise raises signals near zero.
    """
    clean = painted.signal[:, chosen]
    noisy = painted.sigma * rician_mean(clean / painted.sigma)
    fractions = [fat / (water + fat) for water, fat in (clean, noisy)]
    return np.array(fractions, np.float32)


def _covered(painted: PaintedSlice, numbers: np.ndarray) -> np.ndarray:
    """Sum the shares of each label: ``(labels + 1,)``."""
    is_left = painted.middle <= COLUMNS_X_MM
    columns = painted.shares.sum(axis=1, dtype=np.float64)
    sums = np.stack([columns[:, ~is_left].sum(axis=1), columns[:, is_left].sum(axis=1)])
    return np.bincount(numbers.ravel(), weights=sums.ravel(), minlength=len(LABELS) + 1)
