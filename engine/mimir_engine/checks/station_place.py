"""Name a station in the sentence of a finding."""

from __future__ import annotations

from typing import Optional


def station_place(number: Optional[int]) -> str:
    """Return the name of a station by its number, from the head; None if it is a fused volume.

    Examples:
        >>> station_place(2), station_place(None)
        ('station 2 (from the head)', 'the volumes')
    """
    return "the volumes" if number is None else f"station {number} (from the head)"
