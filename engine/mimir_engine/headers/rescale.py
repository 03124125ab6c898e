"""Turn stored values into signal: the modality LUT, and the scale of Philips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.little_endian import Tags
from mimir_engine.headers.number_text import decimal

#: Rescale slope and scale slope; real ones are between a thousandth and some thousand.
MIN_SLOPE, MAX_SLOPE = 1e-9, 1e9
#: Absolute intercept, in stored values: magnitude images begin near zero.
MAX_INTERCEPT_VALUES = 65_536.0

#: Attributes that change the scale.
_KEYWORDS = ("RescaleSlope", "RescaleIntercept", "SignalScale", "ModalityLUTSequence")


@dataclass(frozen=True)
class Rescale:
    """From stored values to signal (PS3.3 C.11.1.1.2; for Philips Chenevert et al. 2014).

    Signal is ``stored * slope + intercept``. If Philips' scale slope is known, it is that divided
    by ``slope * signal_scale``; only this can be compared between contrasts and slices (Transl
    Oncol 7:65).

    Attributes:
        slope: Rescale slope, positive.
        intercept: Rescale intercept.
        kind: RescaleType, the unit of the signal; empty if the header has none.
        signal_scale: Philips' scale slope; None if the header has none.
    """

    slope: float = 1.0
    intercept: float = 0.0
    kind: str = ""
    signal_scale: Optional[float] = None

    @property
    def is_identity(self) -> bool:
        """True if signal is the stored value itself."""
        return self.factor == 1.0 and self.intercept == 0.0

    @property
    def factor(self) -> float:
        """Signal per stored value."""
        return self.slope if self.signal_scale is None else 1.0 / self.signal_scale

    def signal(self, values: np.ndarray) -> np.ndarray:
        """Return the signal of stored values, float32 of the same shape."""
        offset = self.intercept
        if self.signal_scale is not None:
            offset /= self.slope * self.signal_scale
        return values.astype(np.float32) * np.float32(self.factor) + np.float32(offset)


def rescale_of(tags: Tags, description: str) -> Rescale:
    """Read the scale of a slice from its header.

    Args:
        tags: DICOM keyword to value; ``SignalScale`` is Philips' scale slope.
        description: SeriesDescription, for messages.

    Raises:
        MimirError: ``SCALE_UNSUPPORTED``.
    """
    if not any(map(tags.__contains__, _KEYWORDS)):
        return Rescale(kind=str(tags.get("RescaleType", "")))
    if "ModalityLUTSequence" in tags:
        raise _unsupported(description, "uses a look-up table for its pixel values")

    def number(keyword: str, default: float, low: float, high: float) -> float:
        text = str(tags.get(keyword, ""))
        value = decimal(text) if text else default
        if value is None or not low <= value <= high:
            raise _unsupported(description, f"has the {keyword} '{text}'")
        return value

    slope = number("RescaleSlope", 1.0, MIN_SLOPE, MAX_SLOPE)
    limit = MAX_INTERCEPT_VALUES * slope
    return Rescale(
        slope,
        number("RescaleIntercept", 0.0, -limit, limit),
        str(tags.get("RescaleType", "")),
        number("SignalScale", 1.0, MIN_SLOPE, MAX_SLOPE) if "SignalScale" in tags else None,
    )


def _unsupported(description: str, what: str) -> MimirError:
    return MimirError(
        "SCALE_UNSUPPORTED",
        f"series '{description}' {what}",
        "Export it with linearly scaled pixel values.",
    )
