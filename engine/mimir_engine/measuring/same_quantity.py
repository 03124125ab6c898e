"""Put side by side what gives the same quantity: network, direct measurement, label.

``same_quantities.csv`` says which values belong together, in which unit, and how each is defined.
Definitions differ, so values do. Nothing is averaged, and no value is changed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Optional

from mimir_engine.measuring.study_result import StudyResult

#: The roads to a quantity, in the order in which they are shown.
NETWORK, DIRECT, LABEL = ROADS = ("network", "direct", "label")
#: Between the sources of a road that are added up.
PLUS = " + "


@dataclass(frozen=True)
class Road:
    """One value of a quantity, and where it comes from.

    Attributes:
        kind: One of ``ROADS``.
        label: What was measured, for people; of an estimate with its inference module.
        value: In the unit of the quantity.
        lower: Lower bound of the interval, as it is shown; None without one.
        upper: Upper bound, likewise.
        flags: Stable codes that concern this value.
        note: How this road defines the quantity, as a sentence; empty if its name says it.
    """

    kind: str
    label: str
    value: float
    lower: Optional[float] = None
    upper: Optional[float] = None
    flags: tuple[str, ...] = ()
    note: str = ""


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
        return tuple(dict.fromkeys(road.note for road in self.roads if road.note))


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
    found = []
    for (name, label, unit), rows in groupby(
        known_sources(), key=lambda row: (row.quantity, row.label, row.unit)
    ):
        roads = [road for row in rows for road in _roads(result, row)]
        roads.sort(key=lambda road: ROADS.index(road.kind))
        if len({road.kind for road in roads}) > 1:
            found.append(SameQuantity(name, label, unit, tuple(roads)))
    return tuple(found)


def _roads(result: StudyResult, row: Source) -> Sequence[Road]:
    return tuple({NETWORK: _estimates, DIRECT: _direct, LABEL: _labels}[row.road](result, row))


def _estimates(result: StudyResult, row: Source) -> Iterator[Road]:
    for m in result.measurements:
        if m.target == row.sources and m.unit == row.unit:
            lower, upper = (None, None) if m.lower is None else (m.lower_shown, m.upper_shown)
            label = f"{m.label}, {m.module} {m.module_version}"
            yield Road(NETWORK, label, m.value_shown, lower, upper, m.flags, row.note)


def _direct(result: StudyResult, row: Source) -> Iterator[Road]:
    known = {q.name: q.value for q in result.direct if q.value is not None}
    if all(part in known for part in row.parts):
        label = row.sources.replace("_", " ")
        yield Road(DIRECT, label, sum(known[part] for part in row.parts), note=row.note)


def _labels(result: StudyResult, row: Source) -> Iterator[Road]:
    yield from ()
