"""Describe tensors and their storages: plain values that own no numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from mimir_engine.torch_file.refusal import unreadable

#: Dimensions of a tensor; a convolution's weight has four.
MAX_DIMENSIONS = 8

#: Bytes of a number by torch's name of its type.
ITEM_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}


@dataclass(frozen=True)
class Storage:
    """A raw buffer of ``count`` numbers in the file."""

    key: str
    dtype: str
    count: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def dtype(self) -> str:
        """Torch's name of its type, like ``float32``."""
        return self.storage.dtype

    @property
    def count(self) -> int:
        """Numbers in it."""
        return prod(self.shape)

    @property
    def span(self) -> int:
        """Numbers of the storage from its first to its last, those between included."""
        if not self.count:
            return 0
        return 1 + sum((size - 1) * step for size, step in zip(self.shape, self.stride))


def checked_storage(key: object, dtype: object, count: object) -> Storage:
    """Build a storage from values of a file.

    Raises:
        MimirError: ``SNAPSHOT_UNREADABLE`` if they cannot describe one.
    """
    if type(key) is not str or type(dtype) is not str or not is_count(count):
        raise unreadable("it describes a storage that cannot be")
    if dtype not in ITEM_BYTES:
        raise unreadable("it describes a storage of an unknown type")
    return Storage(key, dtype, count)  # type: ignore[arg-type]


def checked_tensor(storage: object, offset: object, shape: object, stride: object) -> Tensor:
    """Build a tensor from values of a file, if it lies in its storage.

    Raises:
        MimirError: ``SNAPSHOT_UNREADABLE`` if it does not.
    """
    fits = isinstance(storage, Storage) and is_count(offset) and _is_sizes(shape)
    if not fits or not _is_sizes(stride) or len(shape) != len(stride):  # type: ignore[arg-type]
        raise unreadable("it describes a tensor that cannot be")
    tensor = Tensor(storage, offset, shape, stride)  # type: ignore[arg-type]
    if tensor.offset + tensor.span > tensor.storage.count:
        raise unreadable("a tensor is larger than its storage")
    return tensor


def is_count(value: object) -> bool:
    """Return whether it is an integer of 0 to 2**62."""
    return type(value) is int and 0 <= value <= 1 << 62


def _is_sizes(value: object) -> bool:
    return type(value) is tuple and len(value) <= MAX_DIMENSIONS and all(map(is_count, value))
