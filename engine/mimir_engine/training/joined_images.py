"""The images of several files as if they were one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class JoinedImages:
    """Images of several arrays, one after the other; each stays on disk until it is used.

    It offers what a `Dataset` needs of an array.

    Args:
        parts: uint8 ``(images, 3, rows, columns)`` each, or `JoinedImages`.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])
        self.dtype = parts[0].dtype
        self.ndim = parts[0].ndim
        self.shape = (int(self._ends[-1]), *parts[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, row: int) -> Any:
        part = int(np.searchsorted(self._ends, row, side="right"))
        return self._parts[part][row - self._ends[part]]
