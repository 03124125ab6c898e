from __future__ import annotations

from typing import Optional

import pytest

from mimir_engine.measuring.display_text import duration, percentile_text, words


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("visceralFatVolume", "visceral fat volume"),
        ("sex", "sex"),
        ("BMI", "BMI"),
        ("gripStrengthRight", "grip strength right"),
        ("liverPDFF", "liver PDFF"),
        ("liverT1Time", "liver T1 time"),
        ("DXATotalFat", "DXA total fat"),
        ("AtlasASATVolume", "atlas ASAT volume"),
    ],
)
def test_names_are_written_in_words(name: str, text: str) -> None:
    assert words(name) == text


def test_names_may_begin_with_a_capital() -> None:
    assert words("visceralFatVolume", capital=True) == "Visceral fat volume"
    assert words("DXATotalFat", capital=True) == "DXA total fat"


@pytest.mark.parametrize(
    ("percentile", "text"),
    [(None, ""), (0.5, "< 1"), (1.0, "1"), (50.4, "50"), (99.0, "99"), (99.5, "> 99")],
)
def test_percentiles_0_and_100_are_never_shown(percentile: Optional[float], text: str) -> None:
    assert percentile_text(percentile) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (99.4, "99 s"), (100, "2 min"), (5_940, "99 min"), (12_000, "3 h 20 min")],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
