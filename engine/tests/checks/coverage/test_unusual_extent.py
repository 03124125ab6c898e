"""Studies that do not reach from the neck to the knees, or farther."""

from __future__ import annotations

import pytest

from mimir_engine.checks.coverage.unusual_extent import find_unusual_extent


@pytest.mark.parametrize(
    ("stations", "extent_mm"), [(6, 1113), (6, 1056), (4, 1100), (6, 1000), (6, 1200)]
)
def test_a_complete_scan_is_not_flagged_whatever_its_stations(
    stations: int, extent_mm: float
) -> None:
    assert find_unusual_extent(stations, extent_mm) == []


@pytest.mark.parametrize(
    ("stations", "extent_mm", "words"),
    [(5, 951, "95 cm long (5 stations)"), (1, 168, "17 cm long (1 station)")],
)
def test_a_scan_that_lost_a_station_at_an_end_is_flagged(
    stations: int, extent_mm: float, words: str
) -> None:
    (finding,) = find_unusual_extent(stations, extent_mm)
    assert finding.code == "EXTENT_SHORT"
    assert words in finding.sentence


def test_a_scan_that_also_shows_the_head_is_flagged() -> None:
    (finding,) = find_unusual_extent(7, 1283)
    assert finding.code == "EXTENT_LONG"
    assert "128 cm long (7 stations)" in finding.sentence
