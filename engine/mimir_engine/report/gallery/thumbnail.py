"""Shrink a projection to a small picture of a few kilobytes."""

from __future__ import annotations

import numpy as np

from mimir_engine.files.png import png_bytes
from mimir_engine.projection.appearance import CORONAL_SHARE

#: Size of the coronal view in the picture (pixels), in the body's proportions: water is on the
#: left, fat on the right.
WIDTH, HEIGHT = 48, 104
#: Levels of grey are multiples of this: 32 of them still show a body, and a file has some 3 KB;
#: with all 256 it has 6 KB.
STEP = 8


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return water and fat of the coronal view side by side, uint8 ``(104, 96)``.

    Args:
        image: uint8 ``(3, 256, 256)``: water, fat and fat fraction.
    """
    columns = round(CORONAL_SHARE * image.shape[2])
    views = [_mean(channel[:, :columns]) for channel in image[:2]]
    grey = np.concatenate(views, axis=1)
    return (grey // STEP * STEP).astype(np.uint8)


def thumbnail_bytes(image: np.ndarray) -> bytes:
    """Return the thumbnail of a projection as a PNG file."""
    return png_bytes(thumbnail(image), is_noisy=False)


def _mean(view: np.ndarray) -> np.ndarray:
    """Return the mean of the pixels that fall into each pixel of the small picture."""
    rows = np.linspace(0, view.shape[0], HEIGHT + 1).astype(int)[:-1]
    columns = np.linspace(0, view.shape[1], WIDTH + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(view, rows, 0, np.int64), columns, 1)
    sizes = np.outer(np.diff(rows, append=view.shape[0]), np.diff(columns, append=view.shape[1]))
    return sums // sizes
