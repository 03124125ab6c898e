"""The table ``scan_profiles.csv``: whether each module knows scans like each study's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mimir_engine.files.csv_writer import write_csv
from mimir_engine.measuring.scan_comparison import NAMED, ScanComparison
from mimir_engine.measuring.study_result import StudyResult

SCAN_PROFILES_FILE = "scan_profiles.csv"
REASONS = tuple(f"difference_{place}" for place in range(1, NAMED + 1))
COLUMNS = ("name", "module", "scan", "distance_ratio", "compared_with", *REASONS)


def write_scan_profiles(path: Path, results: Iterable[StudyResult]) -> None:
    """Write the table, one row per study and module.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    rows = (
        (result.name, *(scan.module, scan.verdict, scan.ratio, scan.reference), *_reasons(scan))
        for result in results
        for scan in result.comparisons
    )
    write_csv(path, COLUMNS, rows)


def _reasons(scan: ScanComparison) -> list[str]:
    words = [contribution.words for contribution in scan.contributions]
    return [*words, *[""] * (NAMED - len(words))]
