"""The table ``scan_profiles.csv``: whether each module knows scans like each study's."""

from __future__ import annotations

from collections.abc import Iterator

from mimir_engine.measuring.scan_comparison import NAMED, ScanComparison
from mimir_engine.measuring.study_result import StudyResult

SCAN_PROFILES_FILE = "scan_profiles.csv"
REASONS = tuple(f"difference_{place}" for place in range(1, NAMED + 1))
COLUMNS = ("name", "module", "scan", "distance_ratio", "compared_with", *REASONS)


def profile_rows(result: StudyResult) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a study, one for each module."""
    for scan in result.comparisons:
        yield (
            *(result.name, scan.module, scan.verdict, scan.ratio, scan.reference),
            *_reasons(scan),
        )


def _reasons(scan: ScanComparison) -> list[str]:
    words = [contribution.words for contribution in scan.contributions]
    return [*words, *[""] * (NAMED - len(words))]
