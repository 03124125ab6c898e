from __future__ import annotations

from typing import Optional

import pytest
from random_modules import module_spec

from mimir_engine.measuring.display_text import duration, interval_text, percentile_text, words
from mimir_engine.measuring.measurement import measure


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


def test_an_interval_is_shown_without_negative_values_and_a_class_has_none() -> None:
    liver, height, sex = measure(module_spec(), [0.1, 170.0, 0.97], [0.04, 9.0, 0.0001])
    assert interval_text(liver) == "0.0 to 0.5"
    assert interval_text(height) == "164 to 176"
    assert interval_text(sex) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (99.4, "99 s"), (100, "2 min"), (5_940, "99 min"), (12_000, "3 h 20 min")],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
