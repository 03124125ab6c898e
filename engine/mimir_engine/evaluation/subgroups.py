"""Which studies are judged apart: by sex, age band, fold or any column that says something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import PERSON, Predictions

#: Members of a group that are still worth a table.
MOST_MEMBERS = 30
#: Years of an age band.
BAND = 10
#: Names of the targets that tell sex (0 female, 1 male) and age.
SEX, AGE = "sex", "age"


def choose_groups(
    predictions: Predictions, asked: Optional[Sequence[str]] = None
) -> dict[str, tuple[str, ...]]:
    """Groups to judge by, each with every study's member (empty where it is not known).

    Sex and age, where no column tells them, come from the references of the targets of that name;
    ages become bands of ten years.

    Args:
        predictions: With the columns to group by.
        asked: Names of groups; None for all that have 2 to 30 members.

    Raises:
        MimirError: ``WRONG_USE`` for a group that is not there or has too many members.
    """
    groups = {**_of_targets(predictions), **predictions.groups}
    if AGE in groups:
        groups[AGE] = _bands(groups[AGE])
    if asked is None:
        usable = {n: m for n, m in groups.items() if n not in PERSON and _members(m) > 1}
        return {n: m for n, m in usable.items() if _members(m) <= MOST_MEMBERS}
    for name in asked:
        if name not in groups:
            known = ", ".join(groups) or "none"
            raise MimirError(
                "WRONG_USE", f"there is no '{name}' to group by", f"There are: {known}."
            )
        if _members(groups[name]) > MOST_MEMBERS:
            raise MimirError(
                "WRONG_USE",
                f"'{name}' has {_members(groups[name]):,} different entries",
                f"Groups can have {MOST_MEMBERS}.",
            )
    return {name: groups[name] for name in asked}


def subgroups(groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Group, member and the places of its studies; members in order, numbers by size."""
    for name, members in groups.items():
        entries = np.asarray(members)
        for member in sorted(set(members) - {""}, key=_by_size):
            yield name, member, np.flatnonzero(entries == member)


def _members(entries: Sequence[str]) -> int:
    return len(set(entries) - {""})


def _by_size(text: str) -> tuple[float, str]:
    number = _as_number(text)
    return (number if number is not None else np.inf, text)


def _of_targets(predictions: Predictions) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    places = {name.lower(): i for i, name in enumerate(predictions.names)}
    if SEX in places:
        says = {0.0: "female", 1.0: "male"}
        sexes = predictions.reference[:, places[SEX]].tolist()
        found[SEX] = tuple(says.get(value, "") for value in sexes)
    if AGE in places:
        ages = predictions.reference[:, places[AGE]].tolist()
        found[AGE] = tuple("" if np.isnan(value) else repr(value) for value in ages)
    return found


def _bands(ages: Sequence[str]) -> tuple[str, ...]:
    """Bands of ten years, if all are numbers; else what they are."""
    years = [_as_number(age) if age else np.nan for age in ages]
    if any(year is None or not (np.isnan(year) or 0 <= year < 200) for year in years):
        return tuple(ages)
    return tuple("" if year is None or np.isnan(year) else _band(year) for year in years)


def _band(year: float) -> str:
    first = int(year // BAND) * BAND
    return f"{first} to {first + BAND - 1}"


def _as_number(text: str) -> Optional[float]:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
