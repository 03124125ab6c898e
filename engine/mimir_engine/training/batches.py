"""Draw the batches of training: the studies of each step and the shifts of their images."""

from __future__ import annotations

import numpy as np

#: Keeps the random shifts apart from the random order, which starts from the same seed.
_SHIFT_STREAM = 1_000_003


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
