"""One number that was measured in the volumes themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

#: Unit of each quantity by its name, in the order of results.
QUANTITIES = {
    **{f"{part}_volume": "L" for part in ("body", "fat", "lean")},
    **{
        f"{part}{tissue}_volume": "L"
        for part in ("trunk", "right_thigh", "left_thigh", "arms")
        for tissue in ("", "_fat", "_lean")
    },
    "waist": "cm",
    "hip": "cm",
    "right_thigh_girth": "cm",
    "left_thigh_girth": "cm",
    "subcutaneous_thickness": "mm",
    "lean_fat_fraction": "%",
    "thigh_lean_difference": "%",
}


@dataclass(frozen=True)
class DirectMeasurement:
    """A quantity of the body in view, measured without a network.

    Attributes:
        name: Key of ``QUANTITIES``; columns have the prefix ``direct_``.
        unit: Unit; never empty.
        value: In ``unit``; None if it cannot be known from this scan.
        reason: Why there is no value; empty with a value.
    """

    name: str
    unit: str
    value: Optional[float] = None
    reason: str = ""


def direct_column(name: str) -> str:
    """Name the column of a quantity in tables.

    >>> direct_column("fat_volume")
    'direct_fat_volume_in_L'
    """
    return f"direct_{name}_in_{QUANTITIES[name]}"
