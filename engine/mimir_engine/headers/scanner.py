"""Vendor, model and field strength of a scanner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Scanner:
    """The device according to the headers; an empty string or None if unknown."""

    vendor: str = ""
    model: str = ""
    field_strength_t: Optional[float] = None
