"""Read numbers from text as DICOM writes them (PS3.5 6.2: value representations DS and IS)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Optional, Union

_DECIMAL = re.compile(r" *[+-]?(\d+(\.\d*)?|\.\d+)([Ee][+-]?\d+)? *", re.ASCII)
_INTEGER = re.compile(r" *[+-]?\d{1,12} *", re.ASCII)


def decimal(text: object) -> Optional[float]:
    """Return a decimal number; None for anything else, such as ``1_0``, ``1,5``, ``nan``.

    Examples:
        >>> decimal("-1.5e2"), decimal("1_0"), decimal("2,5")
        (-150.0, None, None)
    """
    text = str(text)
    value = float(text) if _DECIMAL.fullmatch(text) else None
    return value if value is not None and abs(value) < float("inf") else None


@lru_cache(maxsize=5000)
def integer(text: object) -> Optional[int]:
    """Return an integer of at most twelve digits; None for anything else."""
    text = str(text)
    return int(text) if _INTEGER.fullmatch(text) else None


def first_integer(tags: Mapping[str, Union[str, int]], keyword: str) -> Optional[int]:
    """Return the value of an attribute as an integer; None if it is missing or another value."""
    return integer(tags[keyword]) if keyword in tags else None
