"""Put side by side what gives the same quantity: network, direct measurement, label.

``same_quantities.csv`` says which values belong together, in which unit, and how each is defined.
Definitions differ, so values do. Nothing is averaged, and no value is changed. Targets are those of
the published modules and of the phantoms' module, labels those of TotalSegmentator, VIBESegmentator
and the phantoms. Definitions of the published targets: West et al., PLoS One 2016.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Optional

from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.display_text import number
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.measurement_group import naming_of
from mimir_engine.measuring.study_result import StudyResult

#: The roads to a quantity, in the order in which they are shown.
NETWORK, DIRECT, LABEL = ROADS = ("network", "direct", "label")
#: Unit of a fat fraction; a label has one and a volume.
PERCENT = "%"
#: Labels that are named one by one; of more, the number is given.
MAX_TITLES = 2
#: What holds for all quantities.
OWN_DEFINITIONS = (
    "Each way has its own definition, so values may differ. None of them is the truth, and nothing"
    " is averaged."
)
#: What holds for every fat fraction that MIMIR itself measures. T1 weighting raises it, noise does
#: where there is little fat, and T2* decay lowers it (Reeder and Sirlin, Magn Reson Imaging Clin N
#: Am 2010; Liu et al., Magn Reson Med 2007).
SIGNAL_FAT_FRACTION = (
    "The fat fraction of two-point Dixon images is a signal fat fraction, not a PDFF: T1 weighting"
    " raises it, since fat recovers faster than water, and so does noise where there is little fat;"
    " T2* decay, which iron hastens, lowers it. In most livers it is higher than the PDFF."
)
#: Between the sources of a road that are added up.
PLUS = " + "


@dataclass(frozen=True)
class Road:
    """One value of a quantity, and where it comes from.

    Attributes:
        kind: One of ``ROADS``.
        name: Name of the measurement, as in tables; names of direct measurements or of labels that
            were added up are joined by `PLUS`.
        label: What was measured, for people; of an estimate with its inference module.
        value: In the unit of the quantity.
        lower: Lower bound of the interval, as it is shown; None without one.
        upper: Upper bound, likewise.
        sd: Standard deviation of an estimate; None of others.
        flags: Stable codes that concern this value.
        note: How this road defines the quantity, as a sentence; empty if its name says it.
    """

    kind: str
    name: str
    label: str
    value: float
    lower: Optional[float] = None
    upper: Optional[float] = None
    sd: Optional[float] = None
    flags: tuple[str, ...] = ()
    note: str = ""

    @property
    def value_text(self) -> str:
        """The value as shown to people, without its unit."""
        return self._text(self.value)

    @property
    def interval_text(self) -> str:
        """The interval as shown to people, e.g. ``1.2 to 1.9``; empty without one."""
        if self.lower is None or self.upper is None:
            return ""
        return f"{self._text(self.lower)} to {self._text(self.upper)}"

    def _text(self, value: float) -> str:
        return f"{value:.3g}" if self.sd is None else number(value, self.sd)


@dataclass(frozen=True)
class SameQuantity:
    """A quantity of one study that several roads give.

    Attributes:
        name: Stable name, e.g. ``thigh_muscle``.
        label: Its name for people.
        unit: Unit of all values.
        roads: At least two, of at least two kinds, in the order of ``ROADS``.
    """

    name: str
    label: str
    unit: str
    roads: tuple[Road, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """How the roads define the quantity, each sentence once."""
        own = dict.fromkeys(road.note for road in self.roads if road.note)
        return (*own, SIGNAL_FAT_FRACTION) if self.unit == PERCENT else tuple(own)


@dataclass(frozen=True)
class Source:
    """One row of the table: what gives a quantity on one road.

    Attributes:
        quantity: Name of the quantity.
        label: Name of the quantity for people.
        unit: Its unit.
        road: One of ``ROADS``.
        sources: Names of a target, of direct measurements or of labels, joined by `PLUS`.
        note: How it is defined; empty if its name says it.
    """

    quantity: str
    label: str
    unit: str
    road: str
    sources: str
    note: str

    @property
    def parts(self) -> tuple[str, ...]:
        """Names whose values are added up."""
        return tuple(self.sources.split(PLUS))


@lru_cache(maxsize=1)
def known_sources() -> tuple[Source, ...]:
    """Return the table, quantity by quantity."""
    text = Path(__file__).with_name("same_quantities.csv").read_text("utf-8")
    return tuple(Source(**row) for row in csv.DictReader(text.splitlines()))


def same_quantities(result: StudyResult) -> tuple[SameQuantity, ...]:
    """Return the quantities that several roads give for a study.

    A quantity is left out if all its values are of one kind. An estimate in another unit is not
    the same quantity.

    Args:
        result: The study's measurements, of whatever kind it has.

    Returns:
        In the order of the table; empty if there are none.
    """
    estimates: dict[str, list[Measurement]] = {}
    for m in result.measurements:
        estimates.setdefault(m.target, []).append(m)
    direct = {quantity.name: quantity.value for quantity in result.direct}
    labels = {label.name: label for label in result.labels}
    found = []
    for (name, label, unit), rows in _by_quantity():
        roads: list[Road] = []
        for row in rows:
            if row.road == NETWORK:
                roads += (
                    _estimate(m, row) for m in estimates.get(row.sources, ()) if m.unit == unit
                )
            elif row.road == DIRECT:
                roads += _direct(direct, row)
            else:
                roads += _label(labels, row)
        if len({road.kind for road in roads}) > 1:
            found.append(SameQuantity(name, label, unit, tuple(roads)))
    return tuple(found)


def remarks(quantities: Sequence[SameQuantity]) -> tuple[str, ...]:
    """Return what holds for several quantities side by side, as sentences."""
    has_fraction = any(quantity.unit == PERCENT for quantity in quantities)
    return (OWN_DEFINITIONS, SIGNAL_FAT_FRACTION) if has_fraction else (OWN_DEFINITIONS,)


@lru_cache(maxsize=1)
def _by_quantity() -> tuple[tuple[tuple[str, str, str], tuple[Source, ...]], ...]:
    """Return name, label and unit of each quantity, and its rows in the order of ``ROADS``."""
    rows = groupby(known_sources(), key=lambda row: (row.quantity, row.label, row.unit))
    return tuple((head, tuple(own)) for head, own in rows)


def _estimate(m: Measurement, row: Source) -> Road:
    lower, upper = (None, None) if m.lower is None else (m.lower_shown, m.upper_shown)
    label = f"{naming_of(m.target).label}, {m.module} {m.module_version}"
    return Road(NETWORK, m.name, label, m.value_shown, lower, upper, m.sd, m.flags, row.note)


def _direct(known: Mapping[str, Optional[float]], row: Source) -> Iterator[Road]:
    values = [value for part in row.parts if (value := known.get(part)) is not None]
    if len(values) == len(row.parts):
        label = PLUS.join(naming_of(f"direct_{part}").short_label for part in row.parts)
        yield Road(DIRECT, row.sources, label, math.fsum(values), note=row.note)


def _label(known: Mapping[str, LabelMeasurement], row: Source) -> Iterator[Road]:
    labels = [known[part] for part in row.parts if part in known]
    all_values = (_label_value(label, row.unit) for label in labels)
    values = [value for value in all_values if value is not None]
    if len(values) == len(row.parts):
        cut = max(label.edge_share for label in labels)
        view = f", {100 * cut:.1f} % at the edge of the view" if cut else ""
        title = _label_title(labels) + view
        yield Road(LABEL, row.sources, title, math.fsum(values), note=row.note)


def _label_value(label: LabelMeasurement, unit: str) -> Optional[float]:
    return label.core_fat_fraction_percent if unit == PERCENT else label.volume_l


def _label_title(labels: Sequence[LabelMeasurement]) -> str:
    if len(labels) > MAX_TITLES:
        return f"{len(labels)} labels"
    return PLUS.join(label.title for label in labels)
