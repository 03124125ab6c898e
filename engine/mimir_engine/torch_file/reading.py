"""Open a file of ``torch.save`` of either layout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from mimir_engine.torch_file.arrays import Arrays
from mimir_engine.torch_file.older_layout import read_older_layout
from mimir_engine.torch_file.places import Layout
from mimir_engine.torch_file.refusal import unreadable
from mimir_engine.torch_file.tensor import Tensor
from mimir_engine.torch_file.zip_layout import SIGNATURE, read_zip_layout


@dataclass(frozen=True)
class TorchFile:
    """What was saved: numbers, texts, lists, tuples, dicts, and tensors that are not yet read.

    Nothing but its outermost shape is known: a list may contain itself.
    """

    content: Any
    _arrays: Arrays

    def array(self, tensor: Tensor) -> np.ndarray:
        """Copy a tensor of the open file: an array of its type, float32 for bfloat16.

        Raises:
            MimirError: ``SNAPSHOT_UNREADABLE`` if it is damaged, of another type, or too large.
        """
        return self._arrays.array(tensor)


@contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """Open a file of ``torch.save``: its tensors are read one by one, when they are asked for.

    Raises:
        MimirError: ``SNAPSHOT_UNSAFE`` if it contains more than numbers and plain values,
            ``SNAPSHOT_UNREADABLE``.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        layout = _layout(file, size)
        yield TorchFile(layout.content, Arrays(file, size, layout.places))


def _layout(file: IO[bytes], size: int) -> Layout:
    head = file.read(512)
    file.seek(0)
    if head[257:262] == b"ustar":
        raise unreadable(
            "it has the layout of before version 0.1.10; save it again with a newer one"
        )
    return (read_zip_layout if head.startswith(SIGNATURE) else read_older_layout)(file, size)
