"""Gather what the page says about all studies of an output folder, as JSON values.

Names, texts and numbers come from the ledger of a run, which may have been changed since: texts
are shown as texts, and the numbers were checked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.direct.direct_measurement import QUANTITIES
from mimir_engine.errors import printable
from mimir_engine.measuring.flags import DEMONSTRATION, flag_sentence
from mimir_engine.measuring.image_agreement import BOUNDS
from mimir_engine.measuring.measurement_group import GROUPS, display_order
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.report.blocks import WARNING
from mimir_engine.report.gallery.columns import Column, column_of, direct_column_of
from mimir_engine.report.study_report import check_paragraphs
from mimir_engine.study.finding import NOTE

#: What the scan comparisons of all modules say in one number.
UNUSUALNESS = "Unusualness of the scan (above 1: unlike those that a module knows)"
SCAN_GROUP = "Scan"
_KEY = tuple[str, str]


@dataclass
class _Index:
    """Number texts in the order in which they first occur; most occur in many studies."""

    texts: dict[str, int] = field(default_factory=dict)

    def of(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    @property
    def shown(self) -> list[str]:
        return list(map(printable, self.texts))


class CohortData:
    """Studies are added one by one; `to_json` gives them column by column."""

    def __init__(self) -> None:
        self._studies: list[dict[str, Any]] = []
        self._columns: dict[_KEY, Column] = {}
        self._order: dict[_KEY, tuple[int, int]] = {}
        self._pairs: dict[tuple[_KEY, _KEY], float] = {}  # the tightest go first
        self._codes, self._failures, self._notes = _Index(), _Index(), _Index()
        self._scanners, self._months = _Index(), _Index()
        #: True if a measurement is of a demonstration.
        self.is_demonstration = False

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self._studies)

    @property
    def failed(self) -> int:
        """Number of studies without results."""
        return sum(study["failure"] is not None for study in self._studies)

    def add_failure(self, failure: StudyFailure, name: str, reason: str) -> None:
        """Add a study without results.

        Args:
            failure: Its code.
            name: How it is called in the page.
            reason: Why, for people.
        """
        code = self._failures.of(failure.code)
        self._add(name, failure=code, notes=[self._note(reason, True)], warnings=1)

    def add_result(
        self, result: StudyResult, name: str, image: str = "", thumbnail: str = "", report: str = ""
    ) -> None:
        """Add a measured study.

        Args:
            result: Its result.
            name: How it is called in the page.
            image: Address of its projection, relative to the page; empty without one.
            thumbnail: Likewise.
            report: Likewise.
        """
        flags = [flag for flag in result.flags if flag != DEMONSTRATION]
        self.is_demonstration |= DEMONSTRATION in result.flags
        notes = {finding.code for finding in result.findings if finding.severity == NOTE}
        self._add_numbers(result)
        self._add(
            name,
            image=image,
            thumbnail=thumbnail,
            report=report,
            scanner=self._scanners.of(result.scanner),
            month=self._months.of(result.month),
            codes=[self._codes.of(flag) for flag in flags],
            warnings=sum(flag not in notes for flag in flags),
            unusual=any(comparison.is_unusual for comparison in result.comparisons),
            notes=[self._note(p.text, p.kind == WARNING) for p in check_paragraphs(result)],
        )

    def _add(self, name: str, **fields: Any) -> None:
        empty = {"image": "", "thumbnail": "", "report": "", "codes": [], "unusual": False}
        none = {"failure": None, "scanner": None, "month": None}
        self._studies.append({"name": name, **empty, **none, **fields})

    def _note(self, text: str, is_warning: bool) -> int:
        """Return the number of a sentence; a warning begins with its sign."""
        return self._notes.of(f"{'⚠ ' if is_warning else ''}{text}")

    def _add_numbers(self, result: StudyResult) -> None:
        study = len(self._studies)
        for m in result.measurements:
            key = ("estimate", m.name)
            if key not in self._columns:
                self._columns[key], self._order[key] = column_of(m), display_order(m.target)
                self._pair(key, m.target, m.unit)
            bounds = (None, None) if m.lower is None else (m.lower_shown, m.upper_shown)
            self._columns[key].add(study, m.value_shown, *bounds)
            if m.kind != "class":
                self._columns[key].sds.append(m.sd)
        for quantity in result.direct:
            key = ("direct", quantity.name)
            if quantity.name in QUANTITIES and key not in self._columns:
                self._columns[key] = direct_column_of(quantity)
                self._order[key] = display_order(f"direct_{quantity.name}")
            if key in self._columns:
                self._columns[key].add(study, quantity.value)
        ratios = [c.ratio for c in result.comparisons if c.ratio is not None]
        if ratios:
            key = ("scan", "unusualness")
            self._columns.setdefault(key, Column(UNUSUALNESS, SCAN_GROUP))
            self._order[key] = (len(GROUPS), 0)
            self._columns[key].add(study, max(ratios))

    def _pair(self, key: _KEY, target: str, unit: str) -> None:
        """Note the direct measurement that an estimate goes with, if there is one."""
        bounds = BOUNDS.get((target, unit))
        if bounds and len(bounds.quantities) == 1:
            tightness = bounds.high / bounds.low if bounds.low else math.inf
            self._pairs[("direct", bounds.quantities[0]), key] = tightness

    def to_json(self) -> dict[str, Any]:
        """Return all studies as JSON values, by column."""
        keys = sorted(self._columns, key=self._order.__getitem__)
        place = {key: number for number, key in enumerate(keys)}
        count = len(self._studies)
        known = (pair for pair in self._pairs if pair[0] in place)
        pairs = sorted(known, key=self._pairs.__getitem__)
        return {
            "columns": [self._columns[key].to_json(count) for key in keys],
            "pairs": [[place[direct], place[estimate]] for direct, estimate in pairs],
            "codes": _explained(self._codes.texts),
            "failures": _explained(self._failures.texts),
            "notes": self._notes.shown,
            "scanners": self._scanners.shown,
            "months": self._months.shown,
            "studies": _by_column(self._studies),
        }


def _explained(codes: Iterable[str]) -> list[list[str]]:
    return [[printable(code), printable(flag_sentence(code))] for code in codes]


def _by_column(studies: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = studies[0] if studies else ()
    return {name: [study[name] for study in studies] for name in names}
