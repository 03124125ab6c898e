"""The names that a snapshot may use, and what each stands for: nothing is looked up or imported."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Union

from mimir_engine.torch_file.refusal import unreadable
from mimir_engine.torch_file.tensor import ITEM_BYTES, Tensor, checked_tensor


class StorageType(NamedTuple):
    """A class of storages, like ``torch.FloatStorage``."""

    dtype: str


class Maker(NamedTuple):
    """What a function of torch stands for: our own, of the same arguments."""

    make: Callable[..., Any]


def _ordered_dict() -> dict[Any, Any]:
    return {}


def _tensor(
    storage: Any, offset: Any, shape: Any, stride: Any, grad: Any, hooks: Any, metadata: Any = None
) -> Tensor:
    return checked_tensor(storage, offset, shape, stride)


def _parameter(tensor: Any, grad: Any, hooks: Any) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise unreadable("a parameter is not a tensor")
    return tensor


def _size(sizes: Any) -> Any:
    return sizes


def _device(kind: Any, index: Any = None) -> str:
    return "device"


STORAGE_TYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}

#: By module and name, as a pickle writes them. A type of numbers stands for its name.
KNOWN_NAMES: dict[str, Union[StorageType, Maker, str]] = {
    "collections OrderedDict": Maker(_ordered_dict),
    "torch._utils _rebuild_tensor_v2": Maker(_tensor),
    "torch._utils _rebuild_parameter": Maker(_parameter),
    "torch Size": Maker(_size),
    "torch device": Maker(_device),
    **{f"torch {name}": StorageType(dtype) for name, dtype in STORAGE_TYPES.items()},
    **{f"torch {dtype}": dtype for dtype in ITEM_BYTES},
}
