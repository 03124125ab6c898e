"""Decide which studies a command uses, by lists of ids: one rule for all commands."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.cohort.inclusion.id_list import IdLine, read_id_list
from mimir_engine.cohort.inclusion.marks import BAD, GOOD
from mimir_engine.errors import MimirError

#: Which studies of a file of marks each list takes.
MARKS = {"exclude": BAD, "only": GOOD}
#: Lines that a message names.
MAX_SHOWN_LINES = 5
#: Unmatched ids that are compared with the beginnings of all names.
MAX_COMPARED = 100


@dataclass(frozen=True)
class StudyChoice:
    """Lists of ids; without any, all studies are used.

    Attributes:
        exclude: File of people and studies not to use, such as those who withdrew.
        only: File of people and studies to use, and no others.
        allow_unmatched: Ids that no study has are no error.
    """

    exclude: Optional[Path] = None
    only: Optional[Path] = None
    allow_unmatched: bool = False

    def apply(self, *sources: Sequence[frozenset[str]]) -> ChosenStudies:
        """Match the lists against the studies of a command.

        Args:
            sources: For each source of studies, the ids of each study; see `StudyId.ids`.

        Raises:
            MimirError: ``EXCLUSIONS_UNREADABLE``; ``ID_UNMATCHED`` if an id belongs to no study.
        """
        known = _normal({text for source in sources for ids in source for text in ids})
        lists = {"exclude": self.exclude, "only": self.only}
        matched: dict[str, frozenset[str]] = {}
        record: dict[str, Any] = {}
        for option, path in lists.items():
            if path is not None:
                lines = read_id_list(path, MARKS[option])
                found, missing = _match(lines, known)
                if missing and not self.allow_unmatched:
                    raise _unmatched(option, len(found), missing, known)
                count = len(found) + len(missing)
                matched[option] = found
                record[option] = {"ids": count, "matched": len(found)}
        chosen = ChosenStudies(matched.get("exclude", frozenset()), matched.get("only"), record)
        studies = [*{ids: None for source in sources for ids in source}]  # of several sources once
        for option, mask in (("exclude", chosen.excluded), ("only", chosen.unasked)):
            if option in record:
                record[option]["studies_left_out"] = int(mask(studies).sum())
        return chosen


@dataclass(frozen=True)
class ChosenStudies:
    """The ids of the lists that belong to studies.

    Attributes:
        exclude: Ids of studies not to use.
        only: Ids of the studies to use; None for all.
        record: Numbers of ids and studies by list, for the record of a run; no ids.
    """

    exclude: frozenset[str] = frozenset()
    only: Optional[frozenset[str]] = None
    record: Mapping[str, Any] = field(default_factory=dict)

    def excluded(self, studies: Sequence[Collection[str]]) -> np.ndarray:
        """Return which studies are excluded, bool ``(studies,)``."""
        return np.array([not self.exclude.isdisjoint(_normal(ids)) for ids in studies], dtype=bool)

    def unasked(self, studies: Sequence[Collection[str]]) -> np.ndarray:
        """Return which studies are not among those to use, bool ``(studies,)``."""
        only = self.only
        return np.array(
            [only is not None and only.isdisjoint(_normal(ids)) for ids in studies], dtype=bool
        )

    def used(self, studies: Sequence[Collection[str]]) -> np.ndarray:
        """Return which studies are used, bool ``(studies,)``."""
        return ~(self.excluded(studies) | self.unasked(studies))

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say how many ids of each list were matched."""
        return tuple(
            f"--{option}: matched {counts['matched']} of {counts['ids']} ids; studies left out:"
            f" {counts['studies_left_out']}"
            for option, counts in self.record.items()
        )


#: No lists: all studies are used.
ALL_STUDIES = StudyChoice()


def _normal(ids: Collection[str]) -> frozenset[str]:
    """Spell ids as lists are read: some systems take letters with accents apart."""
    return frozenset(text if text.isascii() else unicodedata.normalize("NFC", text) for text in ids)


def _match(
    lines: Sequence[IdLine], known: Collection[str]
) -> tuple[frozenset[str], dict[str, IdLine]]:
    """Return the ids that are known, and the line of each that is not."""
    found, missing = set[str](), dict[str, IdLine]()
    for line in lines:
        if text := line.find(known):
            found.add(text)
        elif not line.may_be_header and line.spellings[0]:
            missing.setdefault(line.spellings[0], line)
    return frozenset(found), missing


def _unmatched(
    option: str, found: int, missing: Mapping[str, IdLine], known: Collection[str]
) -> MimirError:
    """Say which lines name no study; an id itself is never shown."""
    numbers = [str(line.number) for line in missing.values()]
    lines = ", ".join(numbers[:MAX_SHOWN_LINES]) + (", …" if numbers[MAX_SHOWN_LINES:] else "")
    remedy = (
        "Correct the list. If these people are not in the data, give --allow-unmatched: UK"
        " Biobank's lists name everybody who withdrew."
    )
    starts = tuple(text for line in missing.values() for text in line.spellings if text)
    if any(name.startswith(starts[:MAX_COMPARED]) for name in known):
        remedy += r" If names begin with the person, give --person-pattern, like '^(.+)_v\d+$'."
    return MimirError(
        "ID_UNMATCHED",
        f"--{option}: matched {found} of {found + len(missing)} ids; line {lines} names no study",
        remedy,
    )
