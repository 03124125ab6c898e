"""Sample the images of a station on the output grid, by linear interpolation."""

from __future__ import annotations

import numpy as np

from mimir_engine.fusion.grid import AxisSamples

#: Size in bytes of an image that is interpolated at once, which takes several times as much; UK
#: Biobank's have 5 MB.
MAX_BYTES_AT_ONCE = 32 * 2**20


def resample_in_plane(image: np.ndarray, y: AxisSamples, x: AxisSamples) -> np.ndarray:
    """Sample the rows and columns of an image ``[slice, row, column]``; the same one if all are."""
    if image.nbytes > MAX_BYTES_AT_ONCE and len(image) > 1 and not (x.is_copy and y.is_copy):
        halves = np.array_split(image, 2)
        return np.concatenate([resample_in_plane(half, y, x) for half in halves])
    for samples, axis in ((x, 2), (y, 1)):
        if not samples.is_copy:
            image = interpolate(image, samples, axis, np.float32)
    return image


def interpolate(
    data: np.ndarray, samples: AxisSamples, axis: int, dtype: type[np.floating]
) -> np.ndarray:
    """Sample ``data`` along an axis, in the given precision."""
    shape = [1] * data.ndim
    shape[axis] = -1
    weight = samples.weight.reshape(shape).astype(dtype)
    first = int(samples.lower[0])  # of a plane, only one or two rows; ``take`` copies all it gets
    data = data[(slice(None),) * axis + (slice(first, int(samples.upper[-1]) + 1),)]
    lower, upper = (data.take(index - first, axis) for index in (samples.lower, samples.upper))
    return np.asarray(weight * upper + (1 - weight) * lower)


def resampled_means(image: np.ndarray, z: AxisSamples) -> np.ndarray:
    """Return the mean signal of each resampled slice, float64."""
    if image.dtype == np.uint16:  # these sums are exact, and take half the time
        sums = image.sum(axis=1, dtype=np.uint32).sum(axis=1, dtype=np.float64)
        means = sums / (image.shape[1] * image.shape[2])
    else:
        means = image.mean(axis=(1, 2), dtype=np.float64)
    return np.asarray((1 - z.weight) * means[z.lower] + z.weight * means[z.upper])
