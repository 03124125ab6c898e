"""Choose subgroups to evaluate separately: sex, age band, fold or any column of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import PERSON, Predictions
from mimir_engine.files.table_reader import to_number
from mimir_engine.inference_module.statistics import recorded_sex

#: Largest number of members of a group.
MAX_MEMBERS = 30
#: Years of an age band.
BAND = 10
#: Names of the targets for sex (0 female, 1 male) and age.
SEX, AGE = "sex", "age"


def choose_groups(
    predictions: Predictions, asked: Optional[Sequence[str]] = None
) -> dict[str, tuple[str, ...]]:
    """Return the groups to evaluate by: each study's member of each, empty if unknown.

    Without columns of these names, sex and age are the references of the targets ``sex`` and
    ``age``. Ages become bands of ten years.

    Args:
        predictions: With the columns to group by.
        asked: Names of groups; None for all groups with 2 to 30 members.

    Raises:
        MimirError: ``WRONG_USE`` for an unknown group or one with too many members.
    """
    groups = {**_of_targets(predictions), **predictions.groups}
    if AGE in groups:
        groups[AGE] = _bands(groups[AGE])
    if asked is None:
        usable = {n: m for n, m in groups.items() if n not in PERSON and _members(m) > 1}
        return {n: m for n, m in usable.items() if _members(m) <= MAX_MEMBERS}
    for name in asked:
        if name not in groups:
            known = ", ".join(groups) or "none"
            raise MimirError("WRONG_USE", f"group '{name}' is unknown", f"Known groups: {known}.")
        if _members(groups[name]) > MAX_MEMBERS:
            raise MimirError(
                "WRONG_USE",
                f"'{name}' has {_members(groups[name]):,} different entries",
                f"Groups can have at most {MAX_MEMBERS}.",
            )
    return {name: groups[name] for name in asked}


def subgroups(groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield group, member and the rows of its studies; members sorted, numbers by size."""
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
        found[SEX] = tuple(map(recorded_sex, predictions.reference[:, places[SEX]]))
    if AGE in places:
        ages = predictions.reference[:, places[AGE]].tolist()
        found[AGE] = tuple("" if np.isnan(value) else repr(value) for value in ages)
    return found


def _bands(ages: Sequence[str]) -> tuple[str, ...]:
    """Return bands of ten years if all entries are ages, else the entries."""
    years = [_as_number(age) if age else np.nan for age in ages]
    if any(year is None or not (np.isnan(year) or 0 <= year < 200) for year in years):
        return tuple(ages)
    return tuple("" if year is None else age_band(year) for year in years)


def age_band(years: float, dash: str = " to ") -> str:
    """Return the band of ten years that an age is in: ``50 to 59``; empty if it is unknown."""
    if not np.isfinite(years):
        return ""
    first = int(years // BAND) * BAND
    return f"{first}{dash}{first + BAND - 1}"


def _as_number(text: str) -> Optional[float]:
    try:
        number = to_number(text)
    except ValueError:
        return None
    return None if np.isnan(number) else number
