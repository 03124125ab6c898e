"""How a target goes with a direct measurement, in the studies that a module was calibrated on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mimir_engine.errors import MimirError


@dataclass(frozen=True)
class DirectReference:
    """A line: target = intercept + slope * direct measurement.

    Attributes:
        quantity: Name of the direct measurement, without the prefix of columns.
        intercept: In the target's unit.
        slope: In the target's unit per unit of the direct measurement.
        sd: Standard deviation of the target around the line.
        low, high: Smallest and largest direct measurement of the studies.
        studies: Their number.
    """

    quantity: str
    intercept: float
    slope: float
    sd: float
    low: float
    high: float
    studies: int

    def __post_init__(self) -> None:
        numbers = (self.intercept, self.slope, self.sd, self.low, self.high)
        if not all(map(math.isfinite, numbers)) or self.sd <= 0 or self.low > self.high:
            raise MimirError(
                "STATISTICS_INVALID", f"the reference of {self.quantity} must be a line with an SD"
            )
