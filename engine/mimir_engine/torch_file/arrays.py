"""Copy tensors out of a file as NumPy arrays, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np

from mimir_engine.torch_file.places import Place
from mimir_engine.torch_file.refusal import unreadable
from mimir_engine.torch_file.tensor import ITEM_BYTES, Tensor

#: Bytes read for all tensors: as much as the largest snapshot has.
MAX_READ_BYTES = 1 << 30
#: NumPy's types by torch's names; bfloat16 is the upper half of a float32.
NUMPY_TYPES = {
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int64": "<i8",
    "int32": "<i4",
}


class Arrays:
    """Copies tensors out of an open file of ``size`` bytes: together no more than that."""

    def __init__(self, file: IO[bytes], size: int, places: Mapping[str, Place]) -> None:
        self._file, self._size, self._places = file, size, places
        self._read = self._copied = 0
        self._intact: set[str] = set()

    def array(self, tensor: Tensor) -> np.ndarray:
        """Copy a tensor: an array of its type, float32 for bfloat16; it may be changed.

        Raises:
            MimirError: ``SNAPSHOT_UNREADABLE``.
        """
        if tensor.dtype not in NUMPY_TYPES:
            raise unreadable(f"a tensor has the type {tensor.dtype}")
        item = ITEM_BYTES[tensor.dtype]
        self._read += tensor.span * item
        self._copied += tensor.count * item
        if self._read > MAX_READ_BYTES:
            raise unreadable("its tensors are larger than those of a network")
        if self._copied > self._size:
            raise unreadable("its tensors share numbers: together they are larger than the file")
        self._check_intact(tensor.storage.key)
        return _widened(tensor.dtype, _strided(tensor, self._numbers(tensor)))

    def _numbers(self, tensor: Tensor) -> np.ndarray:
        item = ITEM_BYTES[tensor.dtype]
        self._file.seek(self._places[tensor.storage.key].start + tensor.offset * item)
        data = self._file.read(tensor.span * item)
        if len(data) < tensor.span * item:
            raise unreadable("it ends too early")
        return np.frombuffer(data, NUMPY_TYPES[tensor.dtype])

    def _check_intact(self, key: str) -> None:
        """Compare a storage with its checksum, once."""
        place = self._places[key]
        if key in self._intact or place.crc is None:
            return
        self._file.seek(place.start)
        crc, left = 0, place.size
        while left and (block := self._file.read(min(left, 1 << 20))):
            crc, left = zlib.crc32(block, crc), left - len(block)
        if crc != place.crc:
            raise unreadable("a storage is damaged")
        self._intact.add(key)


def _strided(tensor: Tensor, numbers: np.ndarray) -> np.ndarray:
    """Copy the numbers of a tensor, which lies in them as `checked_tensor` made sure."""
    if not tensor.count:
        return np.empty(tensor.shape, numbers.dtype)
    steps = [step * numbers.itemsize for step in tensor.stride]
    used = [step if size > 1 else 0 for size, step in zip(tensor.shape, steps)]
    return np.lib.stride_tricks.as_strided(numbers, tensor.shape, used).copy()


def _widened(dtype: str, array: np.ndarray) -> np.ndarray:
    if dtype != "bfloat16":
        return array
    # With a type: NumPy 1 makes int64 of a single number that is shifted.
    return np.asarray(np.left_shift(array, 16, dtype=np.uint32)).view(np.float32)
