"""Tables of what the included module's scan profile finds in the trial of ``scan_checks``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scan_check_tables import STOPPED, auroc, body_words, by, is_found

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.files.markdown_table import markdown_table
from mimir_engine.measuring.scan_comparison import LAYER_WORDS, UNUSUAL

Case = Mapping[str, Any]
WITHOUT = "The included module has no scan profile."


def profile_tables(outcomes: Mapping[str, Sequence[Case]]) -> dict[str, str]:
    """Make the tables ``profile-usual`` and ``profile-faults``."""
    usual = by(outcomes["usual"], "body")["none"]
    if all(case["ratio"] is None for case in usual):
        return {"profile-usual": WITHOUT, "profile-faults": WITHOUT}
    return {
        "profile-usual": usual_table(outcomes["usual"]),
        "profile-faults": fault_table(outcomes["faults"], usual),
    }


def usual_table(cases: Sequence[Case]) -> str:
    """Show how many scans without a fault are flagged by checks and profile, and by what."""
    rows = []
    for body, own in by(cases, "body").items():
        together = [is_found(case) for case in own]
        bounds = _bounds(sum(together), len(own))
        rows.append(
            (
                *(body_words(body), str(len(own)), str(sum(case["is_flagged"] for case in own))),
                str(sum(case["verdict"] == UNUSUAL for case in own)),
                f"{sum(together)} ({np.mean(together):.1%}; {bounds})",
                _reasons(case for case in own if case["verdict"] == UNUSUAL),
            )
        )
    flagged = ("by the checks", "by the profile", "by all together (95 % interval)")
    return markdown_table(("bodies", "scans", *flagged, "largest differences"), rows)


def fault_table(cases: Sequence[Case], usual: Sequence[Case]) -> str:
    """Show the AUROC of the distance for each fault at each size, and the share that is found."""
    usual_scores = [_score(case) for case in usual]
    rows = []
    for fault, of_fault in by(cases, "fault").items():
        if fault == "none":
            continue
        sizes = by(of_fault, "size")
        areas = [f"{auroc(usual_scores, map(_score, own)):.2f}" for own in sizes.values()]
        found = [f"{np.mean([is_found(case) for case in own]):.0%}" for own in sizes.values()]
        rows.append((fault, *areas, *found, _reasons(sizes[1.0])))
    sizes_head = ("half", "named", "double")
    head = (*(f"AUROC, {s}" for s in sizes_head), *(f"found, {s}" for s in sizes_head))
    return markdown_table(("fault (size)", *head, "largest difference, named size"), rows)


def _score(case: Case) -> float:
    return STOPPED if case["ratio"] is None else float(case["ratio"])


def _reasons(cases: Iterable[Case]) -> str:
    """Return what differs most in these scans, most frequent first."""
    counts = Counter(case["differences"][0] for case in cases if case["differences"])
    words = {**SCAN_NUMBERS, **{name: text.split(",")[0] for name, text in LAYER_WORDS.items()}}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{words.get(name, name)} {count}" for name, count in ordered[:2])


def _bounds(found: int, count: int) -> str:
    """Return bounds of a share: Beta, Jeffreys' prior, by drawing from it."""
    drawn = np.random.default_rng(0).beta(found + 0.5, count - found + 0.5, 100_000)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{low:.1%} to {high:.1%}"
