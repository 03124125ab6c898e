"""Find the body and its tissues in fused volumes: every second voxel, seen from the front.

The body is where the signal of water and fat together exceeds half of the level around it, with
its holes. Its voxels are fat, lean or dark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.direct.regions_grow import regions_with_core
from mimir_engine.fusion import FusedVolumes

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


@dataclass(frozen=True)
class Body:
    """The body of one scan on a thinned grid.

    Slices run from foot to head and columns from the patient's right to left, as in the volumes.

    Attributes:
        signal: Sum of water and fat, float32 ``[slice, row, column]``.
        mask: True in the body, bool, likewise.
        threshold: Signal at the skin, float32 ``[slice, column]``.
        thickness: Depth of the body in mm from front to back, float32 ``[slice, column]``.
        fat: Depth of its fat in mm, likewise.
        lean: Depth of its lean tissue in mm, likewise.
        z_mm: Patient z of each slice.
        spacing_mm: Distance of the voxels used along column, row and slice.
    """

    signal: np.ndarray
    mask: np.ndarray
    threshold: np.ndarray
    thickness: np.ndarray
    fat: np.ndarray
    lean: np.ndarray
    z_mm: np.ndarray
    spacing_mm: tuple[float, float, float]


def find_body(fused: FusedVolumes) -> Body:
    """Find the body of a scan and the depth of its tissues."""
    bright, rows, columns = bright_box(fused)
    fat = fused.fat.array[::STEP, rows, columns]
    signal = fused.water.array[::STEP, rows, columns] + fat
    level = signal_level(signal, bright)
    mask = body_mask(signal > (SKIN_PART * level)[:, np.newaxis])
    depth, fat_depth, lean_depth = _depths(signal, fat, mask, level)
    x, y, z = (STEP * mm for mm in fused.water.spacing_mm)
    first = float(fused.water.affine[2, 3])
    return Body(
        signal,
        mask,
        SKIN_PART * level,
        depth * np.float32(y),
        fat_depth * np.float32(y),
        lean_depth * np.float32(y),
        first + z * np.arange(len(mask)),
        (x, y, z),
    )


def bright_box(fused: FusedVolumes) -> tuple[np.float32, slice, slice]:
    """Return a signal of bright tissue, and the thinned rows and columns that show any."""
    coarse = (slice(None, None, 4 * STEP),) + (slice(None, None, 2 * STEP),) * 2
    signal = fused.water.array[coarse] + fused.fat.array[coarse]
    bright = np.float32(np.quantile(signal, BRIGHT_QUANTILE))
    is_tissue = signal > ROUGH_PART * bright
    rows, columns = (_around(is_tissue.any((0, axis))) for axis in (2, 1))
    return bright, rows, columns


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
    is_tissue = signal > ROUGH_PART * bright
    count = is_tissue.sum(axis=1, dtype=np.float32)
    total = np.where(is_tissue, np.minimum(signal, MAX_BRIGHT * bright), 0).sum(axis=1)
    for axis, reach in enumerate(LEVEL_REACH):
        count, total = (moving_sum(values, reach, axis) for values in (count, total))
    return np.where(count > 0.5, total / np.maximum(count, 1), bright).astype(np.float32)


def moving_sum(values: np.ndarray, reach: int, axis: int) -> np.ndarray:
    """Sum over a window of ``2 * reach + 1`` along an axis; zero beyond the ends."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach + 1, reach)
    sums = np.pad(values.astype(np.float64), padding).cumsum(axis=axis)
    after = np.arange(2 * reach + 1, sums.shape[axis])
    return np.asarray(sums.take(after, axis) - sums.take(after - 2 * reach - 1, axis))


def body_mask(bright: np.ndarray) -> np.ndarray:
    """Return the body among the bright voxels, with its holes.

    Specks and sheets of one voxel are taken away, then regions without a core of 3 cm; then gaps
    with body on all four sides in their slice are filled.
    """
    opened = _grown(_shrunk(bright))
    body = opened & regions_with_core(opened)
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


def _depths(
    signal: np.ndarray, fat: np.ndarray, mask: np.ndarray, level: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the voxels of the body, of fat and of lean tissue along each line of sight."""
    tissue = mask & (signal > (DARK_PART * level)[:, np.newaxis])
    share = np.divide(fat, signal, out=np.zeros_like(signal), where=tissue)
    share -= np.float32(LEAN_FRACTION)
    share *= np.float32(1 / (FAT_FRACTION - LEAN_FRACTION))
    np.clip(share, 0, 1, out=share)
    fat_depth = share.sum(axis=1)
    count, all_tissue = (m.sum(axis=1, dtype=np.float32) for m in (mask, tissue))
    return count, fat_depth, all_tissue - fat_depth
