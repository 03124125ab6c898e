"""Put beside each measurement what other ways give for the same quantity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from MIMIRLib.scene.node_marks import single_line


@dataclass(frozen=True)
class OtherWays:
    """The values of other ways to one quantity: network, direct measurement, segmentation.

    Attributes:
        values: Each with its unit, its interval, and what was measured, as a line.
        notes: How each way defines the quantity, as sentences.
    """

    values: str
    notes: str


def other_ways(result: Any) -> Mapping[str, OtherWays]:
    """Return the other ways of a study's measurements by their names in tables.

    Nothing is averaged, and no way is taken for the true one.

    Args:
        result: The engine's ``StudyResult``.
    """
    from mimir_engine.measuring.same_quantity import same_quantities

    found = {}
    for quantity in same_quantities(result):
        notes = "\n".join(map(single_line, quantity.notes))
        for road in quantity.roads:
            others = [_in_words(o, quantity.unit) for o in quantity.roads if o.kind != road.kind]
            for name in _names(road, quantity.unit):
                found[name] = OtherWays("; ".join(others), notes)
    return found


def _in_words(road: Any, unit: str) -> str:
    interval = f" ({road.interval_text})" if road.interval_text else ""
    return single_line(f"{road.value_text} {unit}{interval}: {road.label}")


def _names(road: Any, unit: str) -> Iterator[str]:
    """Yield the names, in tables, of the measurements that a way adds up."""
    from mimir_engine.cohort.tables.label_columns import CORE_FAT_FRACTION, VOLUME, label_columns
    from mimir_engine.cohort.tables.styles import LONG
    from mimir_engine.direct.direct_measurement import direct_column
    from mimir_engine.measuring.same_quantity import DIRECT, LABEL, PERCENT, PLUS

    for name in road.name.split(PLUS):
        if road.kind == LABEL:
            what = CORE_FAT_FRACTION if unit == PERCENT else VOLUME
            yield from (c.names[LONG] for c in label_columns(name) if c.what == what)
        else:
            yield direct_column(name) if road.kind == DIRECT else name
