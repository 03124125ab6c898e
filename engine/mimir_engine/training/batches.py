"""Draw the batches of training: the studies of each step, and how their images are varied."""

from __future__ import annotations

import numpy as np

from mimir_engine.projection.project import WHITE_FRACTION

#: Channel of the fat fraction, and the grey level from which on it is white.
_FRACTION, _WHITE = 2, 255
#: Keeps the random shifts apart from the random order, which starts from the same seed.
_SHIFT_STREAM = 1_000_003
_WATER_STREAM = 1_000_033


def batch_indices(count: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Draw the studies of one training step, int64 ``(batch_size,)``.

    The shuffled orders of all epochs are laid end to end and cut into batches, so each study comes
    once per epoch. The order depends on seed and epoch alone: resuming needs no stored state.
    """
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs = positions // count
    order = {
        epoch: np.random.default_rng([seed, epoch]).permutation(count)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1)
    }
    return np.array([order[int(e)][p] for e, p in zip(epochs, positions % count)], dtype=np.int64)


def draw_shifts(count: int, max_shift: int, step: int, seed: int) -> np.ndarray:
    """Draw the shifts (rows, columns) of one step's images in whole pixels, int64 ``(count, 2)``.

    They depend on seed and step alone, so a resumed run draws the same ones.
    """
    rng = np.random.default_rng([seed, _SHIFT_STREAM, step])
    return rng.integers(-max_shift, max_shift + 1, size=(count, 2))


def shift_images(images: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Move each image down by shifts[:, 0] and right by shifts[:, 1], repeating the edge.

    This is the published augmentation. All channels of an image move together, so that a projection
    and its fat-fraction slice stay aligned.

    Args:
        images: ``(count, channels, rows, columns)``.
        shifts: Pixels, ``(count, 2)``.
    """
    count, channels, rows, columns = images.shape
    source_rows = np.clip(np.arange(rows) - shifts[:, :1], 0, rows - 1)
    source_columns = np.clip(np.arange(columns) - shifts[:, 1:], 0, columns - 1)
    return images[
        np.arange(count)[:, None, None, None],
        np.arange(channels)[None, :, None, None],
        source_rows[:, None, :, None],
        source_columns[:, None, None, :],
    ]


def draw_water(count: int, water_range: float, step: int, seed: int) -> np.ndarray:
    """Draw factors of the water signal for one step's images, float64 ``(count,)``.

    Their logarithms are uniform up to that of `water_range`, in both directions.
    """
    rng = np.random.default_rng([seed, _WATER_STREAM, step])
    reach = np.log(water_range)
    return np.exp(rng.uniform(-reach, reach, count))


def scale_water(images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Change the fat fraction as if each image's water signal were scaled by a factor.

    Scanners and flip angles differ in it. With the factor w, the fat fraction f becomes
    f / (f + w (1 - f)); what is white, 50 % or more, stays white. The projections of water and fat
    stay as they are, since their grey levels are relative.

    Args:
        images: uint8 ``(count, 3, rows, columns)``.
        factors: ``(count,)``, above 0.
    """
    scaled = images.copy()
    fraction = np.arange(_WHITE + 1) / _WHITE * WHITE_FRACTION / 1000
    for image, factor in zip(scaled, factors):
        changed = fraction / (fraction + factor * (1 - fraction)) / WHITE_FRACTION * 1000
        table = np.clip(np.rint(changed * _WHITE), 0, _WHITE).astype(np.uint8)
        table[_WHITE] = _WHITE
        image[_FRACTION] = table[image[_FRACTION]]
    return scaled
