"""Format numbers, percentiles, durations and names for people."""

from __future__ import annotations

import re
from typing import Optional


def number(value: float, sd: float) -> str:
    """Format a value with as many decimals as its standard deviation justifies."""
    decimals = 0
    while sd * 10**decimals < 2 and decimals < 6:
        decimals += 1
    return f"{value:.{decimals}f}"


def percentile_text(percentile: Optional[float]) -> str:
    """Format a percentile without decimals: never 0 or 100, which no reference can show."""
    if percentile is None:
        return ""
    return "< 1" if percentile < 1 else "> 99" if percentile > 99 else f"{percentile:.0f}"


def duration(seconds: float) -> str:
    """Format a duration: ``45 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def words(name: str, capital: bool = False) -> str:
    """Write a target's name in words: ``visceralFatVolume`` as ``visceral fat volume``.

    Args:
        name: Words joined by capital letters; abbreviations in capitals stay.
        capital: Begin with a capital letter.
    """
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).split()
    text = " ".join(part if part.isupper() else part.lower() for part in parts)
    return text[:1].upper() + text[1:] if capital else text
