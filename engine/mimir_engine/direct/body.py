"""Find the body and its tissues in fused volumes: every second voxel, seen from the front.

The body is where the signal of water and fat together exceeds half of the level around it, with
its holes. Its voxels are fat, lean or dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.direct.thick_regions import thick_regions
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.moving_sum import moving_sum
from mimir_engine.study.volume import spacing_of

#: Every second slice, row and column is used: 6 mm and 4.5 mm, far less than the body's parts.
STEP = 2
#: Quantile of the signal that lies within the body of every scan, and its part that air, with all
#: its noise, does not reach. Together they make a first guess of what is bright.
BRIGHT_QUANTILE, ROUGH_PART = 0.97, 0.25
#: Largest signal that counts in the level, as a multiple of the bright one: hot pixels do not.
MAX_BRIGHT = 2.0
#: Half-width of the mean that gives the local level, in slices and columns used: 3 cm and 4 cm.
LEVEL_REACH = (5, 9)
#: Parts of the local level: the skin is at half of it; below a quarter a voxel in the body is dark
#: (lung, air, cortical bone).
SKIN_PART, DARK_PART = 0.5, 0.25
#: Fat fractions between which a voxel changes from lean to fat.
LEAN_FRACTION, FAT_FRACTION = 0.3, 0.7
#: Thinned columns at the right and left edge of the images that show that a body is cut off.
EDGE_COLUMNS = 1
#: Smaller than any signal, in whatever unit the scanner has.
NO_SIGNAL = np.float32(1e-20)

#: Slices, rows and columns of a volume.
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Body:
    """The body of one scan on a thinned grid.

    Slices run from foot to head and columns from the patient's right to left, as in the volumes.

    Attributes:
        signal: Sum of water and fat, float32 ``[slice, row, column]``.
        fat_signal: Fat, likewise.
        mask: True in the body, bool, likewise.
        threshold: Signal at the skin, float32 ``[slice, column]``.
        depth: Depth of the body in mm from front to back, float32 ``[slice, column]``.
        fat: Depth of its fat in mm, likewise.
        lean: Depth of its lean tissue in mm, likewise.
        at_edge: True where the body reaches the edge of the images, bool ``[slice, column]``.
        lean_fat_fraction: Median signal fat fraction of the lean tissue in percent; None without.
        box: Slices, rows and columns of the volume that the thinned grid has.
        volume_shape: Shape of the volume.
        affine: ``(4, 4)``, of the thinned grid, to LPS millimetres.
    """

    signal: np.ndarray
    fat_signal: np.ndarray
    mask: np.ndarray
    threshold: np.ndarray
    depth: np.ndarray
    fat: np.ndarray
    lean: np.ndarray
    at_edge: np.ndarray
    lean_fat_fraction: Optional[float]
    box: Box
    volume_shape: tuple[int, ...]
    affine: np.ndarray

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of the thinned voxels along column, row and slice."""
        return spacing_of(self.affine)

    @property
    def z_mm(self) -> np.ndarray:
        """Patient z of each slice."""
        return np.asarray(self.affine[2, 3] + self.spacing_mm[2] * np.arange(len(self.mask)))


def find_body(fused: FusedVolumes) -> Body:
    """Find the body of a scan and the depth of its tissues."""
    bright, box = bright_box(fused)
    fat = fused.fat.array[box].copy()  # read three times
    signal = fused.water.array[box] + fat
    level = signal_level(signal, bright)
    mask = body_mask(signal > (SKIN_PART * level)[:, np.newaxis])
    tissue = mask & (signal > (DARK_PART * level)[:, np.newaxis])
    fat_share = _fat_share(signal, fat, tissue)
    affine = fused.water.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [box[2].start, box[1].start, box[0].start]
    affine[:3, :3] *= STEP
    row_mm = np.float32(spacing_of(affine)[1])
    fat_depth = fat_share.sum(axis=1) * row_mm
    return Body(
        signal=signal,
        fat_signal=fat,
        mask=mask,
        threshold=SKIN_PART * level,
        depth=_count(mask) * row_mm,
        fat=fat_depth,
        lean=_count(tissue) * row_mm - fat_depth,
        at_edge=_at_edge(mask, box, fused.water.array.shape),
        lean_fat_fraction=_lean_fat_fraction(signal, fat, tissue),
        box=box,
        volume_shape=fused.water.array.shape,
        affine=affine,
    )


def bright_box(fused: FusedVolumes) -> tuple[np.float32, Box]:
    """Return a signal of bright tissue, and the thinned voxels around all that is bright."""
    coarse = (slice(None, None, 4 * STEP),) + (slice(None, None, 2 * STEP),) * 2
    signal = fused.water.array[coarse] + fused.fat.array[coarse]
    bright = np.float32(np.quantile(signal, BRIGHT_QUANTILE))
    is_tissue = signal > ROUGH_PART * bright
    rows, columns = (_around(is_tissue.any((0, axis))) for axis in (2, 1))
    return bright, (slice(0, len(fused.water.array), STEP), rows, columns)


def _around(used: np.ndarray) -> slice:
    """Return the voxels of the thinned grid around all that are used, of twice its distance."""
    index = np.flatnonzero(used)
    first, last = (int(index[0]), int(index[-1])) if len(index) else (0, 0)
    return slice(2 * STEP * max(first - 1, 0), 2 * STEP * (last + 2), STEP)


def signal_level(signal: np.ndarray, bright: np.float32) -> np.ndarray:
    """Return the mean signal of the tissue around each line of sight, ``[slice, column]``.

    It follows the gain of stations and the sensitivity of coils along and across the body.

    Args:
        signal: Sum of water and fat, ``[slice, row, column]``.
        bright: A signal of bright tissue.
    """
    some = signal[:, ::STEP]
    is_tissue = some > ROUGH_PART * bright
    count = is_tissue.sum(axis=1, dtype=np.uint16)
    total = (np.minimum(some, MAX_BRIGHT * bright) * is_tissue).sum(axis=1)
    for axis, reach in enumerate(LEVEL_REACH):
        count, total = (moving_sum(values, reach, axis) for values in (count, total))
    return np.where(count > 0.5, total / np.maximum(count, 1), bright).astype(np.float32)


def body_mask(bright: np.ndarray) -> np.ndarray:
    """Return the body among the bright voxels, with its holes.

    Specks and sheets of one voxel are taken away, then regions that are nowhere 3 cm thick; then
    gaps with body on all four sides in their slice are filled.
    """
    opened = _grown(_shrunk(bright))
    body = opened & thick_regions(opened)
    return _between(body, 1) & _between(body, 2)


def _shrunk(mask: np.ndarray) -> np.ndarray:
    """Keep the voxels that are the first of two on each axis."""
    mask = mask.copy()
    mask[:-1] &= mask[1:]
    mask[:, :-1] &= mask[:, 1:]
    mask[:, :, :-1] &= mask[:, :, 1:]
    return mask


def _grown(mask: np.ndarray) -> np.ndarray:
    """Give each voxel its second on each axis back."""
    for axis in range(3):
        here, there = np.moveaxis(mask, axis, 0)[1:], np.moveaxis(mask, axis, 0)[:-1]
        grown = here | there
        here[...] = grown
    return mask


def _between(mask: np.ndarray, axis: int) -> np.ndarray:
    """Return the voxels that have the mask on both sides along an axis, with the mask."""
    size = mask.shape[axis]
    shape = [1, 1, 1]
    shape[axis] = size
    index = np.arange(size, dtype=np.int16).reshape(shape)
    first = np.expand_dims(mask.argmax(axis), axis).astype(np.int16)
    last = np.expand_dims(np.flip(mask, axis).argmax(axis), axis).astype(np.int16)
    some = np.expand_dims(mask.any(axis), axis)
    return (index >= np.where(some, first, size)) & (index <= size - 1 - last)


def _fat_share(signal: np.ndarray, fat: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """Return the part of each voxel that is fat, 0 to 1: a ramp of the signal fat fraction."""
    share = fat / np.maximum(signal, NO_SIGNAL)
    share -= np.float32(LEAN_FRACTION)
    share *= np.float32(1 / (FAT_FRACTION - LEAN_FRACTION))
    np.maximum(share, 0, out=share)
    np.minimum(share, 1, out=share)
    share *= tissue
    return np.asarray(share)


def _count(mask: np.ndarray) -> np.ndarray:
    """Count the voxels along each line of sight, float32 ``[slice, column]``."""
    return np.asarray(mask.sum(axis=1, dtype=np.uint16).astype(np.float32))


def _at_edge(mask: np.ndarray, box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """Return where the body reaches the front, back, right or left edge of the images."""
    edge = np.zeros((mask.shape[0], mask.shape[2]), bool)
    if box[1].start == 0:
        edge |= mask[:, 0]
    if box[1].stop >= shape[1]:
        edge |= mask[:, -1]
    right = slice(0, EDGE_COLUMNS if box[2].start == 0 else 0)
    left = slice(mask.shape[2] - (EDGE_COLUMNS if box[2].stop >= shape[2] else 0), None)
    for columns in (right, left):
        edge[:, columns] |= mask[:, :, columns].any(axis=1)
    return edge


def _lean_fat_fraction(signal: np.ndarray, fat: np.ndarray, tissue: np.ndarray) -> Optional[float]:
    """Return the median signal fat fraction of the lean tissue in percent, of some voxels."""
    some = (slice(None, None, 2),) * 3
    chosen = tissue[some]
    fraction = fat[some][chosen] / signal[some][chosen]
    lean = fraction[fraction < (LEAN_FRACTION + FAT_FRACTION) / 2]
    return 100 * float(np.median(lean)) if len(lean) else None
