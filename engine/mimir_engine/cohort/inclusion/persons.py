"""Decide which studies are visits of the same person.

UK Biobank's names tell it; for other names a column, a pattern or a declaration is needed. Visits
of one person must never be on both sides of a split, and persons are counted, not scans.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

from mimir_engine.cohort.images.image_folder import StudyId
from mimir_engine.errors import MimirError

#: How persons are known, in the words of records.
BY_COLUMN, BY_NAME, BY_PATTERN, EACH = (
    *("a column of a table", "participants of UK Biobank", "a pattern of names"),
    "the declaration that each study is its own person",
)


@dataclass(frozen=True)
class PersonRule:
    r"""How persons are known whose studies have other names than UK Biobank's.

    Attributes:
        pattern: Regular expression that is looked for in a name; its first group is the person.
        each_its_own: Studies of unknown persons are persons of their own.

    Raises:
        MimirError: ``WRONG_USE`` if the pattern is invalid or has no group.

    Examples:
        >>> studies, _ = PersonRule(r"^(.+)_v\d+$").assign([StudyId("KI-001_v1")])
        >>> studies[0].person
        'KI-001'
    """

    pattern: str = ""
    each_its_own: bool = False

    def __post_init__(self) -> None:
        try:
            has_group = not self.pattern or re.compile(self.pattern).groups > 0
        except re.error as error:
            raise _wrong(f"the pattern of persons is invalid ({error})") from error
        if not has_group:
            raise _wrong("the pattern of persons has no group in parentheses")

    def assign(
        self, studies: Sequence[StudyId], required: bool = True
    ) -> tuple[tuple[StudyId, ...], Mapping[str, Any]]:
        """Give each study its person; also return counts for the record.

        Args:
            studies: Studies; a person that a table gives stays.
            required: Refuse studies of unknown persons.

        Raises:
            MimirError: ``PERSONS_UNKNOWN``, ``PERSONS_CONTRADICT``.
        """
        sources = [self._source(study) for study in studies]
        unknown = sources.count(None)
        if unknown and required and not self.each_its_own:
            raise MimirError(
                "PERSONS_UNKNOWN",
                f"the person of {unknown} of {len(studies)} studies is unknown: their names are not"
                " of UK Biobank's form" + (" and do not fit the pattern" if self.pattern else ""),
                "Visits of one person must stay together: give a column 'person' in the table,"
                " --person-pattern, or --each-its-own-person if nobody was scanned twice.",
            )
        assigned = tuple(
            replace(study, given_person=self._in_name(study.name)) if how == BY_PATTERN else study
            for study, how in zip(studies, sources)
        )
        _check_visits(assigned)
        known_by = Counter(how or EACH for how in sources)
        record = {
            "persons": len({study.person for study in assigned}),
            "persons_known_by": " and ".join(sorted(known_by)),
        }
        return assigned, record

    def _source(self, study: StudyId) -> Optional[str]:
        if study.given_person:
            return BY_COLUMN
        if study.eid:
            return BY_NAME
        return BY_PATTERN if self._in_name(study.name) else None

    def _in_name(self, name: str) -> str:
        match = re.search(self.pattern, name) if self.pattern else None
        return (match.group(1) or "") if match else ""


def _check_visits(studies: Sequence[StudyId]) -> None:
    """Refuse a table that gives visits of one participant to different persons."""
    persons: dict[str, str] = {}
    for study in studies:
        if study.eid and persons.setdefault(study.eid, study.person) != study.person:
            raise MimirError(
                "PERSONS_CONTRADICT",
                "the column 'person' gives visits of one participant of UK Biobank to different"
                " persons",
                "Correct the column, or leave it out.",
            )


def _wrong(what: str) -> MimirError:
    return MimirError(
        "WRONG_USE", what, r"Put the person in parentheses: --person-pattern '^(.+)_v\d+$'."
    )


#: Persons are known only by names of UK Biobank's form.
FROM_NAMES = PersonRule()
