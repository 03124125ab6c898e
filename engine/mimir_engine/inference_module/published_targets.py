"""Read the catalogue of the 71 published measurements and their published accuracy."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Optional, get_type_hints


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
