"""Choose which results are compared: two that are named, or all that give the same quantity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations, groupby

from mimir_engine.errors import MimirError
from mimir_engine.measuring.same_quantity import (
    DIRECT,
    LABEL,
    NETWORK,
    OWN_DEFINITIONS,
    PERCENT,
    ROADS,
    SIGNAL_FAT_FRACTION,
    Source,
    known_sources,
)

#: Asks for all pairs that give the same quantity.
ALL_PAIRS = "all"
#: Between the names of two results that are compared.
VERSUS = " vs "
#: Joins measurements that are added up.
PLUS = "+"
#: Measurements of a sum that are named one by one.
MAX_NAMED = 2


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        parts: Names of measurements that are added up, as in `result_table`.
        name: Its name in the comparison.
    """

    parts: tuple[str, ...]
    name: str

    @property
    def road(self) -> str:
        """One of ``ROADS``."""
        beginning = self.parts[0].split("_")[0]
        return beginning if beginning in (DIRECT, LABEL) else NETWORK


def choose_pairs(
    asked: Sequence[Sequence[str]], units: Mapping[str, str]
) -> list[tuple[Side, Side]]:
    """Return the pairs that are asked for.

    Args:
        asked: Pairs of names, or ``[ALL_PAIRS]``. A name is that of a column without statistic and
            unit, such as ``liverFat``, ``direct_waist`` or ``label_liver_volume``; results whose
            names are joined by a plus are added up.
        units: Unit of each result, by this name.

    Raises:
        MimirError: ``COMPARISON_INVALID`` for an unknown name, different units, or nothing to
            compare.
    """
    return list(dict.fromkeys(pair for names in asked for pair in _pairs(names, units)))


def definitions(pairs: Sequence[tuple[Side, Side]], units: Mapping[str, str]) -> tuple[str, ...]:
    """Return how the sides of pairs define their quantities, each sentence once."""
    compared = {side.parts for pair in pairs for side in pair}
    own = (
        f"{side.name}: {row.note[:1].lower()}{row.note[1:]}"
        for row in known_sources()
        for side in _sides(row, units)
        if row.note and side.parts in compared
    )
    has_fraction = any(units[first.parts[0]] == PERCENT for first, _ in pairs)
    fraction = (SIGNAL_FAT_FRACTION,) if has_fraction else ()
    return (OWN_DEFINITIONS, *dict.fromkeys(own), *fraction)


def _pairs(names: Sequence[str], units: Mapping[str, str]) -> list[tuple[Side, Side]]:
    if tuple(names) == (ALL_PAIRS,):
        pairs = [pair for rows in _by_quantity() for pair in _same_quantity(rows, units)]
        if not pairs:
            raise _invalid("no two results give the same quantity", "Name two results.")
        return pairs
    if len(names) != len(set(names)) or len(names) != 2:
        raise _invalid(f"'{','.join(names)}' is not a pair of names", "Give two, with a comma.")
    first, second = (Side(tuple(name.split(PLUS)), name) for name in names)
    for part in (*first.parts, *second.parts):
        if part not in units:
            close = get_close_matches(part, units, 3, 0.4)
            known = f"Did you mean {' or '.join(close)}?" if close else "See docs/roads.md."
            raise _invalid(f"there are no results '{part}'", known)
    (one, *others) = dict.fromkeys(units[part] for part in (*first.parts, *second.parts))
    if others:
        raise _invalid(
            f"'{names[0]}' and '{names[1]}' have different units ({one or 'none'} and"
            f" {others[0] or 'none'})",
            "Compare columns in the same unit.",
        )
    return [(first, second)]


def _by_quantity() -> Iterator[list[Source]]:
    for _, rows in groupby(known_sources(), key=lambda row: row.quantity):
        yield list(rows)


def _same_quantity(rows: Sequence[Source], units: Mapping[str, str]) -> Iterator[tuple[Side, Side]]:
    """Yield all pairs of different roads to a quantity, in the order of ``ROADS``."""
    sides = [side for row in rows for side in _sides(row, units)]
    sides.sort(key=lambda side: ROADS.index(side.road))
    yield from (pair for pair in combinations(sides, 2) if pair[0].road != pair[1].road)


def _sides(row: Source, units: Mapping[str, str]) -> Iterator[Side]:
    """Yield the results that a row of the table of quantities means."""
    if row.road == NETWORK:
        named = (Side((name,), name) for name, unit in units.items() if unit == row.unit)
        own = f"_{row.sources}"  # behind the column prefix of its module, if there is one
        yield from (s for s in named if s.road == NETWORK and f"_{s.name}".endswith(own))
        return
    what = "" if row.road == DIRECT else "_core_fat_fraction" if row.unit == PERCENT else "_volume"
    parts = tuple(f"{row.road}_{part}{what}" for part in row.parts)
    if all(units.get(part) == row.unit for part in parts):
        is_short = len(parts) <= MAX_NAMED
        yield Side(parts, PLUS.join(parts) if is_short else f"{row.road}_{row.quantity}")


def _invalid(what: str, remedy: str) -> MimirError:
    return MimirError("COMPARISON_INVALID", what, remedy)
