"""Name measurements as the field does, and sort them into groups for charts and tables.

``measurement_names.csv`` lists the published targets, those of the included module, and the direct
measurements. Any other name is written in words and belongs to ``Other``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from mimir_engine.measuring.display_text import words

OTHER = "Other"
#: In the order of charts and tables.
GROUPS = (
    "Body",
    "Strength and heart",
    "Fat",
    "Muscle",
    "Liver and kidneys",
    "DXA: whole body",
    "DXA: trunk",
    "DXA: arms",
    "DXA: legs",
    "Bone",
    OTHER,
    "Measured directly",
)


@dataclass(frozen=True)
class MeasurementName:
    """How a measurement is called.

    Attributes:
        name: Name of the target; of a direct measurement, ``direct_`` and its name.
        short_name: For columns of tables, e.g. ``vat``; empty if it is not known.
        group: One of ``GROUPS``.
        short_label: For charts and tables, e.g. ``VAT``.
        label: In full, e.g. ``Visceral adipose tissue (VAT) volume``.
        place: Place among the known names; those that are not known come last.
    """

    name: str
    short_name: str
    group: str
    short_label: str
    label: str
    place: int


@lru_cache(maxsize=1)
def known_names() -> Mapping[str, MeasurementName]:
    """Return the known measurements by name, group by group."""
    text = Path(__file__).with_name("measurement_names.csv").read_text("utf-8")
    rows = enumerate(csv.DictReader(text.splitlines()))
    return MappingProxyType({row["name"]: MeasurementName(**row, place=n) for n, row in rows})


def naming_of(name: str) -> MeasurementName:
    """Return how a measurement is called.

    Args:
        name: Name of a target; of a direct measurement, its column in tables, with or without the
            unit.
    """
    key = name.split("_in_")[0] if name.startswith("direct_") else name
    known = known_names().get(key)
    if known is not None:
        return known
    unknown = words(name.replace("_", " "), capital=True)
    return MeasurementName(name, "", OTHER, unknown, unknown, len(known_names()))


def group_of(name: str) -> str:
    """Return the group of a measurement, one of ``GROUPS``.

    >>> group_of("AtlasVatVolume")
    'Fat'
    """
    return naming_of(name).group


def short_label(name: str) -> str:
    """Return a measurement's name for charts and tables.

    >>> short_label("AtlasVatVolume"), short_label("direct_waist_in_cm"), short_label("spleenSize")
    ('VAT', 'Waist', 'Spleen size')
    """
    return naming_of(name).short_label


def display_order(name: str) -> tuple[int, int]:
    """Return the key that sorts measurements by group and, within groups, by place.

    Names that are not known keep their order.
    """
    naming = naming_of(name)
    return GROUPS.index(naming.group), naming.place
