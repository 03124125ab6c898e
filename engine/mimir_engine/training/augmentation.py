"""The published augmentation: one random shift of each image, and nothing else."""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch
from torch.nn.functional import interpolate

# Uniform up to 16 pixels along both image axes, as in the published training.
PUBLISHED_MAX_SHIFT = 16

# Keeps the stream of shifts apart from the stream of shuffles, which starts from the same seed.
_SHIFT_STREAM = 1_000_003


def draw_shifts(count: int, max_shift: int, step: int, seed: int) -> np.ndarray:
    """Whole-pixel shifts (rows, columns) of the images of one step, int64 (count, 2).

    A function of seed and step alone, so a resumed run draws what the first one would have drawn.
    """
    rng = np.random.default_rng([seed, _SHIFT_STREAM, step])
    return rng.integers(-max_shift, max_shift + 1, size=(count, 2))


def shift_images(images: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Moves each image down by shifts[:, 0] and right by shifts[:, 1]; the edge is repeated.

    images: (count, channels, rows, columns). All channels of an image move together, so that a
    projection and its fat-fraction slice stay aligned.
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


def network_input(
    images: np.ndarray, size: Optional[int], device: torch.device | str
) -> torch.Tensor:
    """uint8 (n, 3, rows, columns) as float32 0..255 on the device, shrunk to `size` pixels a side.

    Shrunk by bilinear interpolation with antialiasing; None leaves the images as they are.
    """
    pixels = torch.from_numpy(images).to(device)
    pixels = pixels.to(torch.float32, memory_format=torch.channels_last)
    if size is not None and size != pixels.shape[-1]:
        pixels = interpolate(pixels, (size, size), mode="bilinear", antialias=True)
    return pixels
