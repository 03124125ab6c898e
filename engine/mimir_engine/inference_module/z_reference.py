"""References of z-scores: predictions for one sex, and for the same age and height."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from mimir_engine.errors import MimirError


@dataclass(frozen=True)
class Covariates:
    """What a reference may depend on.

    Attributes:
        age: Recorded age in years; None if it is not known.
        height: The module's own estimate of the height, in cm; None if it makes none.
    """

    age: Optional[float] = None
    height: Optional[float] = None


@dataclass(frozen=True)
class ZReference:
    """A line through predictions: mean = intercept + age * years + height * cm.

    Attributes:
        persons: Persons that it was fitted to.
        intercept: In the target's unit.
        sd: Standard deviation of the predictions around the line.
        age: In the target's unit per year; None if the line does not depend on age.
        height: In the target's unit per cm; None if the line does not depend on height.
    """

    persons: int
    intercept: float
    sd: float
    age: Optional[float] = None
    height: Optional[float] = None

    def __post_init__(self) -> None:
        numbers = (self.intercept, self.sd, self.age or 0.0, self.height or 0.0)
        if not all(map(math.isfinite, numbers)) or self.sd <= 0:
            raise MimirError(
                "STATISTICS_INVALID", "a reference of z-scores must be a line with an SD"
            )

    @property
    def same(self) -> str:
        """What the reference has in common with the person: `` of the same age and height``."""
        names = [n for n in ("age", "height") if getattr(self, n) is not None]
        return f" of the same {' and '.join(names)}" if names else ""

    def applies_to(self, known: Covariates) -> bool:
        """Return whether everything that the line depends on is known."""
        return (self.age is None or known.age is not None) and (
            self.height is None or known.height is not None
        )

    def mean(self, known: Covariates) -> float:
        """Return the mean of persons like this one, in the target's unit."""
        by_age = (self.age or 0.0) * (known.age or 0.0)
        return self.intercept + by_age + (self.height or 0.0) * (known.height or 0.0)
