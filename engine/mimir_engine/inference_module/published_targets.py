"""The 71 published measurements and how accurate the published networks were."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Optional


@dataclass(frozen=True)
class PublishedTarget:
    """One measurement of the published method, with its accuracy in ten-fold cross-validation.

    The figures are those of the publication's validation report, on UK Biobank alone.

    Attributes:
        name: As in the published modules and file headers.
        ukb_field: UK Biobank's field number, empty where the reference is no field.
        group: Where the publication's tables list it.
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
        """About the cohort's mean, in ``unit``: the absolute error over the relative one.

        Close where the measurement varies little between people, too low where it varies much.
        """
        return self.mae / (self.mape_percent / 100)


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, PublishedTarget]:
    """The published measurements by name, in the order of the publication's tables."""
    text = Path(__file__).with_suffix(".csv").read_text("utf-8")
    targets = (_target(row) for row in csv.DictReader(text.splitlines()))
    return MappingProxyType({target.name: target for target in targets})


def find_published(name: str, ukb_field: str = "") -> Optional[PublishedTarget]:
    """The published measurement of that name, else the one of that UK Biobank field, else None."""
    if name in catalogue():
        return catalogue()[name]
    return _by_field().get(ukb_field) if ukb_field else None


@lru_cache(maxsize=1)
def _by_field() -> Mapping[str, PublishedTarget]:
    return {target.ukb_field: target for target in catalogue().values() if target.ukb_field}


def _target(row: Mapping[str, str]) -> PublishedTarget:
    return PublishedTarget(
        name=row["name"],
        ukb_field=row["ukb_field"],
        group=row["group"],
        unit=row["unit"],
        n_validation=int(row["n_validation"]),
        icc=float(row["icc"]),
        r2=float(row["r2"]),
        mae=float(row["mae"]),
        mape_percent=float(row["mape_percent"]),
    )
