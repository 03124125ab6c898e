"""Vendor, model and field strength of a scanner, and a label that tells it from others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Optional

#: Characters of a device's label: enough to tell the scanners of a study apart.
LABEL_CHARACTERS = 8


@dataclass(frozen=True)
class Scanner:
    """The device according to the headers; an empty string or None if unknown.

    Attributes:
        vendor: Manufacturer.
        model: Name of the model.
        field_strength_t: Field strength in tesla.
        device: Label of the single device; see `device_label`.
    """

    vendor: str = ""
    model: str = ""
    field_strength_t: Optional[float] = None
    device: str = ""

    @property
    def shown(self) -> str:
        """Text that is the same for all studies of one scanner; empty if nothing is known."""
        field = f"{self.field_strength_t:.1f} T" if self.field_strength_t else ""
        device = f"#{self.device}" if self.device else ""
        return " ".join(filter(None, (self.vendor.strip(), self.model.strip(), field, device)))


def device_label(vendor: str, serial_number: str, station_name: str) -> str:
    """Return a label for the serial number of a device, or else for its station name.

    Neither says anything about a patient. They tell which hospital has the scanner, and a station
    name is any text, so only a hash is kept. Who knows the serial numbers can find the one.
    """
    name = serial_number.strip() or station_name.strip()
    if not name:
        return ""
    text = f"{vendor.strip().upper()} {name}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:LABEL_CHARACTERS]
