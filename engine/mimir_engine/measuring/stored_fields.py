"""Check the types of a dataclass's fields after they were stored as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

#: Types that JSON gives for the annotations of stored fields; others are tuples, in JSON lists.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "Optional[int]": (int, type(None)),
    "Optional[float]": (float, int, type(None)),
    "Optional[str]": (str, type(None)),
    "Mapping[str, float]": (dict,),
}


def check_fields(kind: type, stored: Any) -> None:
    """Check that a JSON object has all fields of a dataclass, each of its type.

    Raises:
        TypeError: It is no object, a field is missing or has another type.
    """
    if type(stored) is not dict:
        raise TypeError(f"{kind.__name__} is stored as an object")
    _check_types(kind, tuple(stored), tuple(map(type, stored.values())))


@lru_cache(maxsize=64)  # the objects of a ledger are all alike
def _check_types(kind: type, names: tuple[str, ...], types: tuple[type, ...]) -> None:
    found = dict(zip(names, types))
    for field in fields(kind):
        if found.get(field.name) not in _TYPES.get(str(field.type), (list,)):
            raise TypeError(f"{kind.__name__}.{field.name} is missing or has another type")


def texts(values: Any) -> tuple[str, ...]:
    """Return a JSON list of texts as a tuple, or raise TypeError."""
    if type(values) is list and all(type(value) is str for value in values):
        return tuple(values)
    raise TypeError("not a list of texts")


def numbers_by_name(values: Any) -> dict[str, float]:
    """Return a JSON object of finite numbers, or raise TypeError."""
    if type(values) is dict and all(
        type(value) in (int, float) and math.isfinite(value) for value in values.values()
    ):
        return {name: float(value) for name, value in values.items()}
    raise TypeError("not an object of finite numbers")
