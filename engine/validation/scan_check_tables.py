"""Tables of what the checks found in the trial of ``scan_checks``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.files.markdown_table import markdown_table
from mimir_engine.measuring.scan_comparison import UNUSUAL

Case = Mapping[str, Any]
Outcomes = Mapping[str, Sequence[Case]]

#: Score of a scan that a check stops before its numbers can be computed.
STOPPED = 1e9
#: Quantile of usual scans by which numbers of different units are made comparable.
USUAL_QUANTILE = 0.99
#: Coverage of intervals of 95 % below which a fault does harm.
MIN_COVERAGE = 0.85
#: The target that depends most on the scanner.
LIVER_FAT = "liverFat"
#: Heads of the columns of `found_shares`.
FOUND = ("refused or flagged by the checks", "the same, or unusual by the profile")


def check_tables(outcomes: Outcomes) -> dict[str, str]:
    """Make all tables, by name."""
    return {
        "checks-usual": usual_table(outcomes["usual"]),
        "checks-exchange": exchange_table(outcomes["exchange"]),
        "checks-faults": fault_table(outcomes["faults"], by(outcomes["usual"], "body")["none"]),
        "checks-silent": silent_table(outcomes["silent"]),
        "checks-coverage": coverage_table(outcomes["coverage"]),
    }


def usual_table(cases: Sequence[Case]) -> str:
    """Show how many scans without a fault are flagged, and by what."""
    rows = []
    for body, own in by(cases, "body").items():
        flagged = sum(case["is_flagged"] for case in own)
        codes = Counter(code for case in own for code in {f["code"] for f in case["findings"]})
        found = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
        rows.append(
            (body_words(body), str(len(own)), f"{flagged} ({flagged / len(own):.1%})", found)
        )
    return markdown_table(("bodies", "scans", "flagged", "findings"), rows)


def exchange_table(cases: Sequence[Case]) -> str:
    """Show how many exchanges are found, and located to station, side and slices."""
    rows = []
    for kind, of_kind in by(cases, "kind").items():
        for body, own in by(of_kind, "body").items():
            found, located = (sum(case[key] for case in own) for key in ("is_found", "is_located"))
            rows.append((kind, body_words(body), len(own), found, located))
    count, found, located = (sum(row[k] for row in rows) for k in (2, 3, 4))
    total = ("all", "all", str(count), f"{found} ({found / count:.1%})")
    header = ("water and fat exchanged in", "bodies", "scans", "found", "located")
    cells = [[str(cell) for cell in row] for row in rows]
    return markdown_table(header, [*cells, [*total, f"{located} ({located / count:.1%})"]])


def fault_table(cases: Sequence[Case], usual: Sequence[Case]) -> str:
    """Show the AUROC of each fault at each size, and the share that is flagged."""
    score = _Score(usual)
    usual_scores = [score(case) for case in usual]
    rows = []
    for fault, of_fault in by(cases, "fault").items():
        if fault == "none":
            continue
        by_size = by(of_fault, "size")
        areas = [f"{auroc(usual_scores, map(score, own)):.2f}" for own in by_size.values()]
        flagged = [f"{np.mean([c['is_flagged'] for c in own]):.0%}" for own in by_size.values()]
        rows.append((fault, *areas, _best_number(usual, by_size[1.0]), *flagged))
    sizes = ("half", "named", "double")
    areas_head = (*(f"AUROC, {s}" for s in sizes), "best single number, named size")
    header = ("fault (size)", *areas_head, *(f"flagged, {s}" for s in sizes))
    return markdown_table(header, rows)


def _best_number(usual: Sequence[Case], faulty: Sequence[Case]) -> str:
    """Return the number that tells a fault best, with its AUROC in that direction."""
    shown = [case["numbers"] for case in faulty if case["numbers"]]
    if not shown:
        return "refused"
    areas = {
        name: auroc(_values(usual, name), [case[name] for case in shown if name in case])
        for name in _names(usual)
        if any(name in case for case in shown)
    }
    best = max(areas, key=lambda name: abs(areas[name] - 0.5))
    return f"{max(areas[best], 1 - areas[best]):.2f} ({SCAN_NUMBERS[best]})"


def silent_table(cases: Sequence[Case]) -> str:
    """Show which silent changes are refused or flagged, and by what."""
    rows = []
    for fault, own in by(cases, "fault").items():
        codes = Counter(code for case in own for code in {f["code"] for f in case["findings"]})
        flagged = sum(case["is_flagged"] for case in own)
        stopped = sum(any(f["severity"] == "stop" for f in case["findings"]) for case in own)
        common = ", ".join(sorted(codes, key=lambda code: (-codes[code], code))[:3])
        rows.append((fault, f"{stopped}/{len(own)}", f"{flagged}/{len(own)}", common))
    found = sum(row[2].split("/")[0] == row[2].split("/")[1] for row in rows)
    half = sum(2 * int(row[2].split("/")[0]) > int(row[2].split("/")[1]) for row in rows)
    summary = f"{found} of {len(rows)} are found in every phantom, {half} in most."
    header = ("silent change", "refused", "refused or flagged", "findings, most frequent first")
    return f"{markdown_table(header, rows)}\n\n{summary}"


def coverage_table(cases: Sequence[Case]) -> str:
    """Show the faults with which intervals of any target miss the truth too often."""
    by_fault = by(cases, "fault")
    usual = by_fault.pop("none")
    score = _Score(usual)
    usual_scores = [score(case) for case in usual]
    rows, harmless = [("none", *worst_coverage(usual), "", "", *found_shares(usual))], 0
    for fault, own in by_fault.items():
        worst, number = worst_coverage(own)
        if number == "0":
            harmless += 1
            continue
        area = f"{auroc(usual_scores, map(score, own)):.2f}"
        rows.append((fault, worst, number, area, _best_number(usual, own), *found_shares(own)))
    targets = f"targets below {MIN_COVERAGE:.0%}"
    header = (
        *("fault", "lowest coverage", targets, "AUROC", "best single number"),
        *FOUND,
    )
    end = f"Of {len(by_fault)} faults, {harmless} leave the coverage of all targets above."
    return f"{markdown_table(header, rows)}\n\n{end}"


def worst_coverage(cases: Sequence[Case]) -> tuple[str, str]:
    """Return the lowest coverage with its target, and how many targets are covered too rarely."""
    shares = covered_shares(cases)
    if not shares:
        return "never measured", "0"
    worst = min(shares, key=lambda name: shares[name])
    below = sum(share < MIN_COVERAGE for share in shares.values())
    return f"{shares[worst]:.0%} ({worst})", str(below)


def covered_shares(cases: Sequence[Case]) -> dict[str, float]:
    """Return the share of measured scans whose interval contains the truth, by target."""
    known = [case["covered"] for case in cases if case["covered"]]
    return {name: float(np.mean([own[name] for own in known])) for name in (known or [{}])[0]}


def found_shares(cases: Sequence[Case]) -> tuple[str, str]:
    """Return the share of scans that the checks find, and that checks or profile find."""
    by_checks = float(np.mean([case["is_flagged"] for case in cases]))
    return f"{by_checks:.0%}", f"{np.mean([is_found(case) for case in cases]):.0%}"


def is_found(case: Case) -> bool:
    """Return whether checks or profile flag a scan, or refuse it."""
    return bool(case["is_flagged"]) or case["verdict"] == UNUSUAL


def auroc(usual: Iterable[float], faulty: Iterable[float]) -> float:
    """Compute the area under the ROC curve: the chance that a faulty scan has the higher score."""
    low, high = np.array(list(usual)), np.array(list(faulty))
    above = (high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean()
    return float(above)


class _Score:
    """Ranks scans by their most unusual number.

    Each number counts by its distance from the median of usual scans, in units of the distance
    that nearly all usual scans have at most.
    """

    def __init__(self, usual: Sequence[Case]) -> None:
        values = {name: np.array(_values(usual, name)) for name in _names(usual)}
        self._middle = {name: float(np.median(own)) for name, own in values.items()}
        self._reach = {
            name: float(np.quantile(np.abs(own - self._middle[name]), USUAL_QUANTILE))
            for name, own in values.items()
        }

    def __call__(self, case: Case) -> float:
        if not case["numbers"]:
            return STOPPED
        return max(
            abs(value - self._middle[name]) / max(self._reach[name], 1e-6)
            for name, value in case["numbers"].items()
            if name in self._middle
        )


def _names(cases: Sequence[Case]) -> list[str]:
    return list(cases[0]["numbers"])


def _values(cases: Sequence[Case], name: str) -> list[float]:
    return [case["numbers"][name] for case in cases if name in case["numbers"]]


def by(cases: Sequence[Case], key: str) -> dict[Any, list[Case]]:
    """Group cases by one of their fields."""
    groups = defaultdict(list)
    for case in cases:
        groups[case[key]].append(case)
    return dict(groups)


def body_words(shift: str) -> str:
    """Name a kind of bodies."""
    return "usual" if shift == "none" else shift
