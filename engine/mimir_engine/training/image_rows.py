"""Some of the images of a file, read when they are asked for."""

from __future__ import annotations

from typing import Any, Optional, Union

import numpy as np

Index = Union[int, np.integer, slice, np.ndarray]


class ImageRows:
    """Rows of an array of images, in any order, as if they were an array of their own.

    Attributes:
        images: The array or memory-mapped file, ``(rows, ...)``.
        rows: int64 ``(n,)``, which of them.
    """

    def __init__(self, images: np.ndarray, rows: np.ndarray) -> None:
        self.images, self.rows = images, rows

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.images.shape[1:])

    @property
    def ndim(self) -> int:
        return self.images.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.images.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Index) -> np.ndarray:
        """An image, or several of them as an array in memory."""
        found: np.ndarray = self.images[self.rows[index]]
        return found

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        if copy is False:
            raise ValueError("images of a file can't be had without a copy")
        return self[:] if dtype is None else self[:].astype(dtype)


def chosen_rows(images: Union[np.ndarray, ImageRows], rows: np.ndarray) -> ImageRows:
    """The rows of an array, or of what was chosen from one before."""
    if isinstance(images, ImageRows):
        return ImageRows(images.images, images.rows[rows])
    return ImageRows(images, rows)
