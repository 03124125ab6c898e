"""Flags in plain words, for tables and panels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from mimir_engine.measuring.measurement import (
    BELOW_ZERO,
    DEMONSTRATION,
    OUTSIDE_TRAINING_RANGE,
    OUTSIDE_VALIDATION,
)

FLAG_SENTENCES: Mapping[str, str] = {
    DEMONSTRATION: "The inference module is a demonstration: its values say nothing about people.",
    OUTSIDE_VALIDATION: (
        "The inference module was not validated on such a study: don't rely on the value."
    ),
    OUTSIDE_TRAINING_RANGE: (
        "The value lies beyond nearly all of the training data:"
        ' read it as "very small" or "very large".'
    ),
    BELOW_ZERO: 'The value is negative though the quantity cannot be: read it as "about zero".',
    "SLICE_REPEATED": "A slice is there twice with the same pixels; one was left out.",
    "STATION_RESCANNED": "A station was scanned more than once; the latest complete scan counts.",
    "ENDS_CROPPED": "Water and fat of a station were cropped to what they share.",
}


def flag_sentence(code: str) -> str:
    """What a flag means, in one sentence; the code itself where it is not known."""
    return FLAG_SENTENCES.get(code, code)


def number(value: float, sd: float) -> str:
    """As many decimals as the standard deviation gives sense to."""
    decimals = 0
    while sd * 10**decimals < 2 and decimals < 6:
        decimals += 1
    return f"{value:.{decimals}f}"


def percentile_text(percentile: Optional[float]) -> str:
    """A percentile in whole percent; nobody is below all or above all of the reference."""
    if percentile is None:
        return ""
    return "< 1" if percentile < 1 else "> 99" if percentile > 99 else f"{percentile:.0f}"


def words(name: str) -> str:
    """A target's name in words: ``visceralFatVolume`` is ``visceral fat volume``."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return " ".join(part if part.isupper() else part.lower() for part in parts) or name


def readable(name: str) -> str:
    """``visceralFatVolume`` as ``Visceral fat volume``; abbreviations stay."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).split()
    plain = [word if word.isupper() else word.lower() for word in words]
    return " ".join([plain[0] if plain[0].isupper() else plain[0].capitalize(), *plain[1:]])
