"""Test the tables of what checks and scan profile find."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "validation"))

from other_scanner_tables import change_table
from profile_tables import WITHOUT, profile_tables


def case(ratio: Optional[float], is_flagged: bool = False, **kind: Any) -> dict[str, Any]:
    verdict = "NOT_KNOWN" if ratio is None else "UNUSUAL" if ratio > 1 else "TYPICAL"
    differences = [] if ratio is None else ["lean_to_fat", "relu"]
    found = {"is_flagged": is_flagged, "verdict": verdict, "differences": differences}
    return {**kind, **found, "ratio": ratio}


def test_what_checks_or_profile_find_is_counted_once() -> None:
    usual = [case(0.5, body="none"), case(1.5, True, body="none"), case(0.6, True, body="none")]
    refused = {**case(None, True, fault="ghosts", size=1.0)}
    sized = [case(size, fault="ghosts", size=size) for size in (0.5, 2.0)]
    tables = profile_tables({"usual": usual, "faults": [sized[0], refused, sized[1]]})
    assert "| usual | 3 | 2 | 1 | 2 (66.7%; " in tables["profile-usual"]
    assert "lean to fat signal 1" in tables["profile-usual"]
    assert "| ghosts | 0.17 | 1.00 | 1.00 | 0% | 100% | 100% |" in tables["profile-faults"]


def test_a_module_without_a_profile_is_said() -> None:
    usual = [case(None, body="none")]
    assert profile_tables({"usual": usual, "faults": []})["profile-usual"] == WITHOUT


def test_a_change_shows_the_lowest_coverage_and_how_many_scans_are_found() -> None:
    usual = [{**case(0.5, change="none"), "covered": {"liverFat": True, "waist": True}}]
    flagged = {**case(0.5, True, change="noise"), "covered": {"liverFat": True, "waist": False}}
    unusual = {**case(1.5, change="noise"), "covered": {"liverFat": False, "waist": False}}
    table = change_table(usual, [flagged, unusual])
    assert "| no change | 1 | 100% | 100% (liverFat) | 0 | 0% | 0% |" in table
    assert "| noise | 2 | 50% | 0% (waist) | 2 | 50% | 100% |" in table
