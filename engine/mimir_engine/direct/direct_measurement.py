"""One number that was measured in the volumes themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DirectMeasurement:
    """A quantity of the body in view, measured without a network.

    Attributes:
        name: Its name, without the prefix ``direct_`` of columns.
        value: In ``unit``.
        unit: Unit; never empty.
    """

    name: str
    value: float
    unit: str
