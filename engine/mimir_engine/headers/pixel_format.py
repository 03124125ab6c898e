"""Turn the integers of PixelData into stored values: unused bits, sign, padding (PS3.5 8.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError

#: Bits of a pixel in the file. Images of 8 bits are made for display.
ALLOCATED_BITS = (16, 32)
#: Bits of PixelPaddingValue and its limit, whose sign follows that of the pixels.
PADDING_BITS = 16


@dataclass(frozen=True)
class PixelFormat:
    """The form in which a file holds its stored values.

    Attributes:
        allocated: Bits of a pixel in the file.
        stored: Bits of the stored value; the others are to be ignored.
        high_bit: Highest bit of the stored value.
        is_signed: Whether stored values are in two's complement.
        padding: Lowest and highest stored value that mean "no signal here"; None if there are none.
    """

    allocated: int = 16
    stored: int = 16
    high_bit: int = 15
    is_signed: bool = False
    padding: Optional[tuple[int, int]] = None

    @property
    def is_uint16(self) -> bool:
        """True if stored values fit into unsigned 16 bits."""
        return not self.is_signed and self.stored <= 16

    def stored_values(self, raw: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return the stored values of pixels, and whether other bits were set.

        Args:
            raw: Pixels as unsigned integers of ``allocated`` bits, in any shape.

        Returns:
            The same shape; signed or unsigned integers, padding not yet replaced. A sign that is
            extended into the other bits does not count.
        """
        unsigned = raw.dtype.type
        signed = raw.dtype.str.replace("u", "i")
        if self.stored == self.allocated:
            return (raw.view(signed) if self.is_signed else raw), False
        lowest = self.high_bit + 1 - self.stored
        if not lowest and not self.is_signed and raw.max(initial=0) < 1 << self.stored:
            return raw, False
        field = raw >> unsigned(lowest) & unsigned((1 << self.stored) - 1)
        is_clean = field << unsigned(lowest) == raw
        if not self.is_signed:
            return field, not is_clean.all()
        unused = self.allocated - self.stored
        values = (field << unsigned(unused)).view(signed) >> np.int8(unused)
        is_clean |= values.view(raw.dtype) == raw
        return values, not is_clean.all()

    def is_padding(self, values: np.ndarray) -> Optional[np.ndarray]:
        """Return where stored values are padding; None if the format has no padding."""
        if self.padding is None:
            return None
        low, high = self.padding
        return values == low if low == high else (values >= low) & (values <= high)

    def beside_padding(self, values: np.ndarray) -> tuple[bool, bool]:
        """Return whether stored values lie below the padding, and above it."""
        low, high = self.padding or (0, 0)
        return bool((values < low).any()), bool((values > high).any())


def pixel_format(tags: Mapping[str, object], description: str) -> PixelFormat:
    """Read the form of stored values from a header.

    Args:
        tags: DICOM keyword to value.
        description: SeriesDescription, for messages.

    Raises:
        MimirError: ``PIXELS_UNSUPPORTED``.
    """

    def number(keyword: str, default: Optional[int] = None) -> Optional[int]:
        value = tags.get(keyword, default)
        return value if isinstance(value, int) else None

    allocated = number("BitsAllocated", 16)
    stored = number("BitsStored", allocated)
    high_bit = number("HighBit", None if stored is None else stored - 1)
    signed = number("PixelRepresentation", 0)
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if not isinstance(tags.get(keyword) or 0, int):
            raise MimirError(
                "PIXELS_UNSUPPORTED",
                f"the {keyword} of series '{description}' is not a number",
                "Export the original images.",
            )
    if (
        allocated not in ALLOCATED_BITS
        or stored is None
        or high_bit is None
        or signed not in (0, 1)
        or not 8 < stored <= high_bit + 1 <= allocated
    ):
        raise MimirError(
            "PIXELS_UNSUPPORTED",
            f"the pixels of series '{description}' have {stored} of {allocated} bits"
            f" (highest bit {high_bit}, representation {signed}); MIMIR reads 9 to 32 stored bits"
            " in 16 or 32. Images of 8 bits are made for display",
            "Export the original images.",
        )
    padding = _padding(tags, stored, bool(signed))
    return PixelFormat(allocated, stored, high_bit, bool(signed), padding)


def _padding(tags: Mapping[str, object], stored: int, is_signed: bool) -> Optional[tuple[int, int]]:
    """Return the range of padding (PS3.3 C.7.5.1.1.2), whatever the sign of its encoding."""
    value, limit = tags.get("PixelPaddingValue"), tags.get("PixelPaddingRangeLimit")
    if not isinstance(value, int):
        return None
    ends = [v if isinstance(v, int) else value for v in (value, limit)]
    span = 1 << min(stored, PADDING_BITS)
    wrapped = [v % span for v in ends]
    if is_signed:
        wrapped = [v - span if v >= span // 2 else v for v in wrapped]
    return min(wrapped), max(wrapped)
