"""Project fused volumes to the 3 x 256 x 256 image that the networks see.

The image is that of Langner et al. (arXiv 2106.11731): for water, for fat and for the fat
fraction a coronal view (left) beside a sagittal one (right), resized to a square. Water and fat
are sums along the line of sight; the fat fraction is shown in one coronal and one sagittal plane
through the liver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.headers.contrast import Contrast

#: Name of this projection method in an inference module.
PROJECTION_NAME = "mimir-2021"
#: Height and width of each channel.
IMAGE_SIZE = 256
#: Channels (water, fat, fat fraction), height and width of the image.
IMAGE_SHAPE = (3, IMAGE_SIZE, IMAGE_SIZE)
#: Number of posterior rows of the fused volume that are dropped: they show the table.
BED_ROWS = 22
#: Fat fraction that is shown as white, per mille.
WHITE_FRACTION = 500
#: Number of histogram bins for the body threshold of a plane.
OTSU_BINS = 256
#: Width of a histogram bin; the reciprocal of a smaller one would not fit single precision.
MIN_BIN_WIDTH = 1e-30
#: Relative differences this small between sums of some hundred float32 values, which have seven
#: digits, are rounding errors. The dark air around a body makes a far larger difference.
SAME_SIGNAL = 1e-5
#: Fixed-point precision of the final resize: bits of an interpolation weight.
WEIGHT_BITS = 11


@dataclass(frozen=True)
class Projection:
    """The image of one study.

    Attributes:
        image: uint8 ``(3, 256, 256)``: water, fat, fat fraction; head at the top, each coronal
            view left (patient's right at its left) and sagittal view right (anterior at its left).
        name: Projection method; a network is valid for one only.
    """

    image: np.ndarray
    name: str = PROJECTION_NAME


class Views(NamedTuple):
    """Coronal and sagittal views before scaling to grey levels, float, head to foot.

    Attributes:
        coronal: ``[slice, column]``.
        sagittal: ``[slice, row]``.
    """

    coronal: np.ndarray
    sagittal: np.ndarray


def project(fused: FusedVolumes, water_factor: float = 1.0) -> Projection:
    """Project fused volumes to the image that the networks see.

    Examples:
        >>> from mimir_engine import fuse, read_study
        >>> image = project(fuse(read_study("6000000_20201_2_0.zip").stations)).image
        >>> image.shape, image.dtype
        ((3, 256, 256), dtype('uint8'))

    Args:
        fused: The volumes.
        water_factor: Factor of the water signal in the planes of the fat fraction, which makes
            those of one scanner like those of others. The sums of water do not change with it,
            since their grey levels go from the lowest to the highest sum.

    Raises:
        MimirError: ``EMPTY_IMAGE`` if water or fat has no signal anywhere, ``STATION_LAYOUT`` if
            the volume is too small.
    """
    return Projection(compose(*views(fused, water_factor)))


def views(fused: FusedVolumes, water_factor: float = 1.0) -> tuple[Views, Views, Views]:
    """Compute the views of water, fat and fat fraction, with the errors of ``project``."""
    rows = fused.water.array.shape[1] - BED_ROWS
    if rows < 1:
        raise MimirError(
            "STATION_LAYOUT",
            f"the images have only {rows + BED_ROWS} rows",
            "Give neck-to-knee images of the complete trunk.",
        )
    water, fat, body = look_through(fused, rows)
    for name, sums in (("water", water), ("fat", fat)):
        if not sums.coronal.any():
            raise MimirError(
                "EMPTY_IMAGE", f"the {name} image is zero everywhere", "Export the study again."
            )
    row, column = liver_planes(body.sum(axis=1), body.sum(axis=0))
    (coronal_water, sagittal_water), (coronal_fat, sagittal_fat) = (
        (fused.plane(contrast, row=row), fused.plane(contrast, column=column)[:, :rows])
        for contrast in (Contrast.WATER, Contrast.FAT)
    )
    fraction = Views(
        fat_fraction(water_factor * coronal_water, coronal_fat),
        fat_fraction(water_factor * sagittal_water, sagittal_fat),
    )
    return water, fat, fraction


def look_through(fused: FusedVolumes, rows: int) -> tuple[Views, Views, np.ndarray]:
    """Sum water and fat along rows and columns, and count the voxels of the body along slices.

    A voxel belongs to the body if the sum of water and fat reaches the body threshold. All is done
    with a slice while it is in the processor's cache.

    Args:
        fused: The volumes.
        rows: Number of anterior rows to look through; the others show the table.

    Returns:
        Sums of water and of fat, float32, and the count ``[row, column]``.
    """
    water, fat = fused.water.array, fused.fat.array
    slices, _, columns = water.shape
    threshold = np.float32(body_threshold(water, fat))
    of_water, of_fat = (
        Views(np.empty((slices, columns), np.float32), np.empty((slices, rows), np.float32))
        for _ in (water, fat)
    )
    total, is_body = np.empty((rows, columns), np.float32), np.empty((rows, columns), bool)
    count = np.zeros((rows, columns), np.uint32)
    for index, planes in enumerate(zip(water[::-1, :rows], fat[::-1, :rows])):
        for plane, sums in zip(planes, (of_water, of_fat)):
            plane.sum(axis=0, out=sums.coronal[index])  # not as a matrix product, whose
            plane.sum(axis=1, out=sums.sagittal[index])  # libraries start threads
        np.add(*planes, out=total)
        count += np.greater_equal(total, threshold, out=is_body)
    return of_water, of_fat, count


def compose(water: Views, fat: Views, fraction: Views) -> np.ndarray:
    """Scale views to grey levels and join them side by side: uint8 ``(3, 256, 256)``.

    Args:
        water: Water signal summed along the line of sight.
        fat: Fat signal, summed likewise.
        fraction: Fat fraction in one coronal and one sagittal plane, per mille.
    """
    channels = ([*map(stretch, water)], [*map(stretch, fat)], [*map(shade, fraction)])
    return np.stack([resize(np.concatenate(pair, axis=1)) for pair in channels])


def stretch(view: np.ndarray) -> np.ndarray:
    """Scale a view to grey levels from its minimum (0) to its maximum (255), truncated to uint8."""
    low, high = float(view.min()), float(view.max())
    if not high - low > SAME_SIGNAL * max(abs(low), abs(high)):
        raise MimirError(
            "EMPTY_IMAGE",
            "a view of the projection has the same signal everywhere",
            "Export the study again.",
        )
    return ((view - low) / (high - low) * 255).astype(np.uint8)


def shade(fraction: np.ndarray) -> np.ndarray:
    """Scale a fat fraction in per mille: 0 to 50 % as 0 to 255, truncated to uint8."""
    return (np.clip(fraction / WHITE_FRACTION, 0, 1) * 255).astype(np.uint8)


def fat_fraction(water: np.ndarray, fat: np.ndarray) -> np.ndarray:
    """Compute the fat fraction in per mille; 0 without signal.

    The order of operations is fixed: fractions of small integers often lie exactly between two
    grey levels.
    """
    total = water + fat
    total[total == 0] = 1
    return np.asarray((1000 * fat) / total)


def body_threshold(water: np.ndarray, fat: np.ndarray) -> float:
    """Return the mean Otsu threshold of all coronal planes of the sum of water and fat.

    Every second slice and column is enough, since the threshold only serves to choose two planes.
    """
    slices, rows, columns = water[::2, :, ::2].shape
    total = np.empty((rows, slices, columns), np.float32)
    for index in range(slices):  # so that each coronal plane is contiguous
        np.add(water[2 * index, :, ::2], fat[2 * index, :, ::2], out=total[:, index])
    return float(np.mean(otsu_thresholds(total.reshape(rows, -1))))


def otsu_thresholds(planes: np.ndarray) -> np.ndarray:
    """Return Otsu's threshold (IEEE Trans. SMC 9:62, 1979) of each plane.

    Args:
        planes: float32, ``[plane, voxel]``.

    Returns:
        float64; each is the centre of one of equal bins, or the value of a plane that has only one.
    """
    low, high = (ends.astype(np.float64) for ends in (planes.min(axis=1), planes.max(axis=1)))
    width = (high - low) / OTSU_BINS
    counts = np.stack([_counts(*each) for each in zip(planes, low.tolist(), width.tolist())])
    centres = low[:, np.newaxis] + (np.arange(OTSU_BINS) + 0.5) * width[:, np.newaxis]
    moments = counts * centres
    below, above = _sums_below(counts), _sums_above(counts)
    mean_below = _sums_below(moments) / np.maximum(below, 1)
    mean_above = _sums_above(moments) / np.maximum(above, 1)
    between = below[:, :-1] * above[:, 1:] * (mean_below[:, :-1] - mean_above[:, 1:]) ** 2
    best = np.take_along_axis(centres, between.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    return np.where(width < MIN_BIN_WIDTH, low, best)


def _counts(plane: np.ndarray, low: float, width: float) -> np.ndarray:
    """Return how many values each bin has; none if bins are too narrow."""
    if width < MIN_BIN_WIDTH:
        return np.zeros(OTSU_BINS)
    bins = ((plane - np.float32(low)) * np.float32(1 / width)).astype(np.uint16)
    counts = np.bincount(bins, minlength=OTSU_BINS + 1).astype(np.float64)
    counts[OTSU_BINS - 1] += counts[OTSU_BINS]
    return counts[:OTSU_BINS]


def _sums_below(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values, axis=1)


def _sums_above(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[:, ::-1], axis=1)[:, ::-1]


def liver_planes(by_row: np.ndarray, by_column: np.ndarray) -> tuple[int, int]:
    """Return the row of the coronal and the column of the sagittal fat-fraction plane.

    Half of the body lies in front of the coronal plane. Half of the body in the right half of the
    image lies to the right of the sagittal plane. There the liver usually is.

    Args:
        by_row: Voxels of the body in each row, without the table's rows.
        by_column: Voxels of the body in each column.
    """
    right_half = by_column[: len(by_column) // 2].sum()
    return _plane_reaching(by_row, by_row.sum() / 2), _plane_reaching(by_column, right_half / 2)


def _plane_reaching(counts: np.ndarray, mass: float) -> int:
    """Return the first index before which at least ``mass`` voxels lie."""
    reached = np.concatenate(([0], np.cumsum(counts))) >= mass
    return min(int(np.argmax(reached)), len(counts) - 1)


def resize(image: np.ndarray) -> np.ndarray:
    """Resize a uint8 image to 256 x 256, bilinearly in fixed-point arithmetic.

    Weights have 11 bits and sums are truncated as in the usual computer-vision resize: the networks
    were trained on such images. A floating-point resize differs by 1 in a tenth of the pixels.
    """
    left, right, weight_left, weight_right = _resize_axis(image.shape[1])
    wide = image.astype(np.int32)
    across = (wide[:, left] * weight_left + wide[:, right] * weight_right) >> 4
    above, below, weight_above, weight_below = _resize_axis(image.shape[0])
    summed = ((across[above] * weight_above[:, None]) >> 16) + (
        (across[below] * weight_below[:, None]) >> 16
    )
    return ((summed + 2) >> 2).astype(np.uint8)


def _resize_axis(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return lower and upper source index of each output pixel and their fixed-point weights."""
    position = ((np.arange(IMAGE_SIZE) + 0.5) * (size / IMAGE_SIZE) - 0.5).astype(np.float32)
    position = np.clip(position, 0, size - 1)
    lower = np.floor(position).astype(np.int32)
    fraction = position - lower
    weights = np.rint(np.stack([1 - fraction, fraction]) * (1 << WEIGHT_BITS)).astype(np.int32)
    return lower, np.minimum(lower + 1, size - 1), weights[0], weights[1]
