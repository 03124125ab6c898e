"""Tables of the trial of ``other_scanners``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scan_check_tables import (
    FOUND,
    LIVER_FAT,
    MIN_COVERAGE,
    by,
    covered_shares,
    found_shares,
    worst_coverage,
)

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.cohort.scanners.drift import MIN_REFERENCE, find_drift, reference_of_scans
from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable
from mimir_engine.files.markdown_table import markdown_table

Case = Mapping[str, Any]

#: Scans of a batch.
BATCHES = (10, 20, 50)
#: Share of the usual scans that are the reference; batches without a change are of the others.
REFERENCE_SHARE = 0.7


def change_table(usual: Sequence[Case], changed: Sequence[Case]) -> str:
    """Show the coverage with each change of the named size, and how many scans are found.

    Args:
        usual: Outcomes of usual scans.
        changed: Outcomes of scans with a change.
    """
    rows = []
    for change, own in by((*usual, *changed), "change").items():
        shares = covered_shares(own)
        name = "no change" if change == "none" else change
        share = f"{shares[LIVER_FAT]:.0%}" if shares else ""
        rows.append((name, str(len(own)), share, *worst_coverage(own), *found_shares(own)))
    lowest = ("lowest coverage of all targets", f"targets below {MIN_COVERAGE:.0%}")
    return markdown_table(("change", "scans", LIVER_FAT, *lowest, *FOUND), rows, 1)


def drift_table(usual: Sequence[Case], changed: Sequence[Case], batches: int) -> str:
    """Show how many batches are found: without a change, and with each.

    Each batch is compared with another draw of reference scans. Batches without a change are drawn
    from the scans that are not in the reference, and none contains a scan twice.

    Args:
        usual: Outcomes of usual scans.
        changed: Outcomes of scans with a change.
        batches: Number of batches of each kind and size.
    """
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in (*usual, *changed):
        if case["numbers"]:
            groups[case["change"]].append(case)
    plain = _values(groups.pop("none"))
    size = max(MIN_REFERENCE, int(REFERENCE_SHARE * len(plain)))
    rows = [("no change", *_shares(plain, None, size, batches))]
    for change, own in groups.items():
        rows.append((change, *_shares(plain, _values(own), size, batches)))
    header = ("change", *(f"{count} scans" for count in BATCHES), "number that differs most")
    return markdown_table(header, rows)


def _shares(
    usual: np.ndarray, changed: np.ndarray | None, reference: int, batches: int
) -> tuple[str, ...]:
    """Return the share of batches found for each size, and the number that differs most often."""
    rng = np.random.default_rng(0)
    shares, first = [], []
    for count in BATCHES:
        found = []
        for _ in range(batches):
            order = rng.permutation(len(usual))
            pool = usual[order[reference:]] if changed is None else changed
            if len(pool) < count:
                break
            batch = pool[rng.choice(len(pool), count, replace=False)]
            known = reference_of_scans(_table(usual[order[:reference]]))
            (group,) = find_drift(known, _table(batch))
            found.append(group.has_drifted)
            first.append(group.numbers[0].name)
        shares.append(f"{np.mean(found):.1%}" if found else "")
    if changed is None:
        return (*shares, "")
    return (*shares, SCAN_NUMBERS[max(set(first), key=first.count)])


def _values(cases: Sequence[Case]) -> np.ndarray:
    return np.array(
        [[case["numbers"].get(name, np.nan) for name in SCAN_NUMBERS] for case in cases]
    )


def _table(values: np.ndarray) -> ScanNumberTable:
    count = len(values)
    return ScanNumberTable(("scan",) * count, ((),) * count, tuple(SCAN_NUMBERS), values)


def harmonise_table(
    cases: Sequence[Case], constants: Mapping[str, Mapping[str, float]], target: str = LIVER_FAT
) -> str:
    """Show coverage and error of a target with other water signals, by how they are corrected.

    Args:
        cases: Outcomes of all scans, factors and corrections.
        constants: Of each factor, those that were estimated.
        target: The target.
    """
    ways = list(dict.fromkeys(case["way"] for case in cases))
    rows = []
    for factor in dict.fromkeys(case["factor"] for case in cases):
        cells = [f"{factor:g}", f"{constants[f'{factor:g}'][ways[-1]]:.3f}"]
        for way in ways:
            own = [case for case in cases if (case["factor"], case["way"]) == (factor, way)]
            covered = np.mean([case["covered"][target] for case in own])
            error = np.mean(np.abs([case["error"][target] for case in own]))
            cells.append(f"{covered:.1%} ({error:.2f})")
        cells.append(_lowest(own))
        rows.append(cells)
    header = (
        *("water ×", "estimated constant"),
        *(f"{target}, {way}: coverage (MAE)" for way in ways),
        f"lowest coverage of all targets, {ways[-1]}",
    )
    return markdown_table(header, rows)


def _lowest(cases: Sequence[Case]) -> str:
    shares = covered_shares(cases)
    worst = min(shares, key=lambda name: shares[name])
    return f"{shares[worst]:.1%} ({worst})"
