"""Gather which columns of a page give the same quantity, for its scatter and for each study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from mimir_engine.errors import printable
from mimir_engine.measuring.same_quantity import (
    DIRECT,
    LABEL,
    NETWORK,
    PLUS,
    ROADS,
    Road,
    SameQuantity,
    known_sources,
)

#: Number of each quantity of the table.
SAME_QUANTITIES = {
    name: number for number, name in enumerate(dict.fromkeys(r.quantity for r in known_sources()))
}
#: Kind and name of a column.
Key = tuple[str, str]
#: Kinds of columns by road.
KINDS = {NETWORK: "estimate", DIRECT: "direct", LABEL: "label"}


def label_key(name: str, unit: str) -> Key:
    """Return the key of a label's volume or fat fraction."""
    return (KINDS[LABEL], f"{name} {unit}")


def road_key(road: Road, unit: str) -> Key:
    """Return the key of the column that has a road's values."""
    if PLUS in road.name:
        return (f"{road.kind} sum", road.name)
    return label_key(road.name, unit) if road.kind == LABEL else (KINDS[road.kind], road.name)


class SameWays:
    """Quantities of all studies that several columns give."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._roads: dict[str, dict[Key, Road]] = {}

    def add(self, quantity: SameQuantity, key: Key, road: Road) -> None:
        """Note that a column gives a quantity."""
        self._titles[quantity.name] = f"{quantity.label} ({quantity.unit})"
        self._roads.setdefault(quantity.name, {}).setdefault(key, road)

    def pairs(self) -> Iterator[tuple[Key, Key]]:
        """Yield the columns that can be drawn over each other: horizontal, vertical."""
        for name in SAME_QUANTITIES:
            ways = [way for road in ROADS for way in self._ways(name, road)]
            for (vertical, one), (horizontal, other) in combinations(ways, 2):
                if one.kind != other.kind:
                    yield horizontal, vertical

    def to_json(self, place: Mapping[Key, int]) -> list[dict[str, Any]]:
        """Return the quantities as JSON values: the columns of each road, and what they are.

        Args:
            place: Number of each column.
        """
        return [
            {
                "title": printable(self._titles.get(name, "")),
                "roads": [_road_to_json(self._ways(name, road), place) for road in ROADS],
            }
            for name in SAME_QUANTITIES
        ]

    def _ways(self, name: str, kind: str) -> list[tuple[Key, Road]]:
        ways = self._roads.get(name, {}).items()
        return [way for way in ways if way[1].kind == kind]


def _road_to_json(
    ways: Sequence[tuple[Key, Road]], place: Mapping[Key, int]
) -> tuple[list[int], str]:
    about = (f"{road.label}: {road.note}" if road.note else road.label for _, road in ways)
    return [place[key] for key, _ in ways], printable("\n".join(about))
