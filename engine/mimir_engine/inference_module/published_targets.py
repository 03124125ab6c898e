"""Read the catalogue of the 71 published measurements and their published accuracy."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Optional, get_type_hints

#: Largest ratio of a cohort's mean to the published cohort's.
MAX_FACTOR = 3.0
#: Above this relative error (percent), MAE / MAPE is too far from the cohort's mean.
MAX_MAPE = 20.0
#: Units of quantities that cannot be negative.
NON_NEGATIVE_UNITS = frozenset(
    {"L", "mL", "kg", "g", "cm", "mm", "m", "%", "years", "bpm", "L/L", "L/m2", "kg/L"}
)


@dataclass(frozen=True)
class PublishedTarget:
    """Describe a published measurement and its accuracy in ten-fold cross-validation.

    The figures are those of the publication's validation report, on UK Biobank only.

    Attributes:
        name: As in the published modules and file headers.
        ukb_field: UK Biobank's field number, empty if the reference has none.
        group: Its table in the publication.
        unit: Unit of the measurement and of ``mae``; empty for sex.
        n_validation: Subjects with a reference value.
        icc: Intraclass correlation of estimate and reference.
        r2: Coefficient of determination.
        mae: Mean absolute error, in ``unit``.
        mape_percent: Mean absolute error relative to the reference, in percent.
    """

    name: str
    ukb_field: str
    group: str
    unit: str
    n_validation: int
    icc: float
    r2: float
    mae: float
    mape_percent: float

    @property
    def typical_value(self) -> float:
        """Estimate the cohort's mean, in ``unit``, as the absolute error over the relative one.

        Accurate if the measurement varies little between people, else too low.
        """
        return self.mae / (self.mape_percent / 100)


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, PublishedTarget]:
    """Return the published measurements by name, in the order of the publication's tables."""
    text = Path(__file__).with_suffix(".csv").read_text("utf-8")
    types = get_type_hints(PublishedTarget)
    rows = csv.DictReader(text.splitlines())
    targets = [PublishedTarget(**{n: types[n](v) for n, v in row.items()}) for row in rows]
    return MappingProxyType({target.name: target for target in targets})


def find_published(name: str, ukb_field: str = "") -> Optional[PublishedTarget]:
    """Find a published measurement by name, else by UK Biobank field; None if neither is known."""
    if name in catalogue():
        return catalogue()[name]
    same_field = (target for target in catalogue().values() if target.ukb_field == ukb_field)
    return next(same_field, None) if ukb_field else None


def implausible_mean(name: str, ukb_field: str, mean: float) -> Optional[PublishedTarget]:
    """Return the published measurement that a cohort's mean contradicts; None if it fits.

    A wrong divisor or unit changes the mean by a factor of ten or more.

    Args:
        name: Name of the target.
        ukb_field: Its field, or empty.
        mean: The cohort's mean in the target's unit.
    """
    known = find_published(name, ukb_field)
    if known is None or known.mape_percent >= MAX_MAPE:
        return None
    is_plausible = 1 / MAX_FACTOR <= mean / known.typical_value <= MAX_FACTOR
    return None if is_plausible else known
