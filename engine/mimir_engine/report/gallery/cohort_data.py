"""Gather what the page says about all studies of an output folder, as JSON values.

Names, texts and numbers come from the ledger of a run, which may have been changed since: texts
are shown as texts, and the numbers were checked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.direct.direct_measurement import QUANTITIES
from mimir_engine.errors import printable
from mimir_engine.measuring.flags import DEMONSTRATION
from mimir_engine.measuring.image_agreement import BOUNDS
from mimir_engine.measuring.measurement_group import GROUPS, display_order
from mimir_engine.measuring.same_quantity import SameQuantity, same_quantities
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.report.blocks import WARNING
from mimir_engine.report.gallery.columns import (
    DIRECTLY,
    Column,
    column_of,
    direct_column_of,
    label_columns_of,
    sum_column_of,
)
from mimir_engine.report.gallery.same_ways import (
    SAME_QUANTITIES,
    Key,
    SameWays,
    label_key,
    road_key,
)
from mimir_engine.report.study_report import check_paragraphs
from mimir_engine.study.finding import NOTE

#: What the scan comparisons of all modules say in one number.
UNUSUALNESS = "Unusualness of the scan (above 1: unlike those that a module knows)"
SCAN_GROUP = "Scan"
#: What a study can be, besides having flags and findings.
MEASURED, FAILED, WITH_WARNINGS, NO_WARNINGS, UNUSUAL = (
    *("measured", "failed", "with warnings", "without warnings", "unlike known scans"),
)
#: Signs of warnings and of unusual scans.
WARNING_SIGN, UNUSUAL_SIGN = "⚠", "≠"
#: Labels whose numbers are shown, besides those that give a quantity of the table of quantities.
MAX_LABELS = 100


class CohortData:
    """Studies are added one by one; `to_json` gives them column by column."""

    def __init__(self) -> None:
        self._studies: list[dict[str, Any]] = []
        self._columns: dict[Key, Column] = {}
        self._order: dict[Key, tuple[int, int]] = {}
        self._pairs: dict[tuple[Key, Key], float] = {}  # the tightest go first
        self._labels: set[str] = set()
        self._same = SameWays()
        self._notes: dict[str, int] = {}
        states = (MEASURED, FAILED, WITH_WARNINGS, NO_WARNINGS, UNUSUAL)
        self._codes = {state: number for number, state in enumerate(states)}
        #: True if a measurement is of a demonstration.
        self.is_demonstration = False

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self._studies)

    @property
    def failed(self) -> int:
        """Number of studies without results."""
        return sum(bool(study["failure"]) for study in self._studies)

    def add_failure(self, failure: StudyFailure, name: str, reason: str) -> None:
        """Add a study without results.

        Args:
            failure: Its code.
            name: How it is called in the page.
            reason: Why, for people.
        """
        notes = [self._note(reason, True)]
        self._add(name, (FAILED, failure.code), 1, notes, [], failure=printable(failure.code))

    def add_result(self, result: StudyResult, name: str, **addresses: str) -> None:
        """Add a measured study.

        Args:
            result: Its result.
            name: How it is called in the page.
            addresses: Of ``image`` (its projection), ``thumbnail`` and ``report``, relative to the
                page; those that it lacks are left out.
        """
        self.is_demonstration |= DEMONSTRATION in result.flags
        flags = [flag for flag in result.flags if flag != DEMONSTRATION]
        notes = {finding.code for finding in result.findings if finding.severity == NOTE}
        warnings = sum(flag not in notes for flag in flags)
        states = [MEASURED, WITH_WARNINGS if warnings else NO_WARNINGS]
        signs = [f"{WARNING_SIGN}{warnings}"] if warnings else []
        if any(comparison.is_unusual for comparison in result.comparisons):
            states.append(UNUSUAL)
            signs.insert(0, UNUSUAL_SIGN)
        self._add_numbers(result)
        quantities = same_quantities(result)
        self._add_ways(len(self), quantities)
        self._add(
            name,
            (*states, *flags),
            warnings,
            [self._note(p.text, p.kind == WARNING) for p in check_paragraphs(result)],
            [SAME_QUANTITIES[quantity.name] for quantity in quantities],
            signs=" ".join(signs),
            scanner=printable(result.scanner),
            month=printable(result.month),
            **addresses,
        )

    def _add(
        self,
        name: str,
        codes: Sequence[str],
        warnings: int,
        notes: list[int],
        same: list[int],
        **texts: str,
    ) -> None:
        numbers = [self._codes.setdefault(code, len(self._codes)) for code in codes]
        empty = ("image", "thumbnail", "report", "failure", "scanner", "month", "signs")
        study = {"name": name, "codes": numbers, "warnings": warnings, "notes": notes, "same": same}
        self._studies.append({**study, **dict.fromkeys(empty, ""), **texts})

    def _note(self, text: str, is_warning: bool) -> int:
        """Return the number of a sentence, which many studies may share."""
        sentence = f"{WARNING_SIGN} {text}" if is_warning else text
        return self._notes.setdefault(printable(sentence), len(self._notes))

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
        self._add_labels(study, result)
        ratios = [c.ratio for c in result.comparisons if c.ratio is not None]
        if ratios:
            key = ("scan", "unusualness")
            self._columns.setdefault(key, Column(UNUSUALNESS, SCAN_GROUP))
            self._order[key] = (len(GROUPS) + 1, 0)
            self._columns[key].add(study, max(ratios))

    def _add_labels(self, study: int, result: StudyResult) -> None:
        for label in result.labels:
            if label.name not in self._labels and len(self._labels) == MAX_LABELS:
                continue
            self._labels.add(label.name)
            values = (label.volume_l, label.core_fat_fraction_percent)
            for empty, value in zip(label_columns_of(label), values):
                key = label_key(label.name, empty.unit)
                self._columns.setdefault(key, empty).add(study, value)
                self._order.setdefault(key, (len(GROUPS), len(self._order)))

    def _add_ways(self, study: int, quantities: Sequence[SameQuantity]) -> None:
        """Note which columns give the same quantity; what is added up has a column of its own."""
        for quantity in quantities:
            for road in quantity.roads:
                key = road_key(road, quantity.unit)
                if key not in self._columns:
                    self._columns[key] = sum_column_of(road, quantity.unit)
                    self._order[key] = (len(GROUPS), len(self._order))
                self._columns[key].add(study, road.value, road.lower, road.upper)
                self._same.add(quantity, key, road)

    def _pair(self, key: Key, target: str, unit: str) -> None:
        """Note the direct measurement that an estimate goes with, if there is one."""
        bounds = BOUNDS.get((target, unit))
        if bounds and len(bounds.quantities) == 1:
            tightness = bounds.high / bounds.low if bounds.low else math.inf
            self._pairs[("direct", bounds.quantities[0]), key] = tightness

    def to_json(self) -> dict[str, Any]:
        """Return all studies as JSON values, by column."""
        keys = sorted(self._columns, key=self._order.__getitem__)
        place = {key: number for number, key in enumerate(keys)}
        known = (pair for pair in self._pairs if pair[0] in place)
        ordered = dict.fromkeys((*sorted(known, key=self._pairs.__getitem__), *self._same.pairs()))
        pairs = [(place[direct], place[estimate]) for direct, estimate in ordered]
        columns = [self._columns[key].to_json(len(self)) for key in keys]
        x, y = pairs[0] if pairs else (0, min(1, len(columns) - 1))
        return {
            "columns": columns,
            "pairs": pairs,
            "same": self._same.to_json(place),
            "notes": list(self._notes),
            "studies": _by_column(self._studies),
            "options": self._options(columns, pairs),
            "first": {"x": x, "y": y, "column": y},
        }

    def _options(
        self, columns: Sequence[Mapping[str, Any]], pairs: Sequence[tuple[int, int]]
    ) -> dict[str, Any]:
        """Return what the page's controls can choose: value and text."""
        counts = Counter(code for study in self._studies for code in study["codes"])
        months, scanners = (
            [(text, text) for text in sorted({study[name] for study in self._studies} - {""})]
            for name in ("month", "scanner")
        )
        measured = [
            (number, " · ".join(filter(None, (column["label"], column["module"]))))
            for number, column in enumerate(columns)
        ]
        return {
            "code": [(n, f"{printable(code)} ({counts[n]})") for code, n in self._codes.items()],
            "scanner": scanners,
            "pair": [(number, _pair_title(columns, *pair)) for number, pair in enumerate(pairs)],
            **dict.fromkeys(("from", "to"), months),
            **dict.fromkeys(("order", "column", "x", "y"), measured),
        }


def _pair_title(columns: Sequence[Mapping[str, Any]], x: int, y: int) -> str:
    """Name the axes of a scatter; an estimate goes with a direct measurement unless it is said."""
    title = str(columns[y]["title"])
    return title if columns[x]["group"] == DIRECTLY else f"{title} against {columns[x]['label']}"


def _by_column(studies: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    names = studies[0] if studies else {"name": ""}
    return {name: [study[name] for study in studies] for name in names}
