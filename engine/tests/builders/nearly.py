"""Compare values that hold floats but for the last bits."""

from __future__ import annotations

from typing import Any

import pytest


def nearly(value: Any) -> Any:
    """A value to compare with by ``==``: every float in it, however deep, may differ by rounding.

    Sums differ in their last bits between processors, and between arrays that lie otherwise in
    memory.
    """
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
    if isinstance(value, dict):
        return {key: nearly(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(nearly(item) for item in value)
    return value
