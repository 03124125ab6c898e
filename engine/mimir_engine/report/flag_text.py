"""Flags in plain words, for tables and panels."""

from __future__ import annotations

from collections.abc import Mapping

from mimir_engine.measurement import (
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
