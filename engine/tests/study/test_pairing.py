"""Water is paired with the fat that was scanned together with it, or the study is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import SCAN, plans_of


@pytest.mark.parametrize("time", ["100000.4", "100010", "113000"])
def test_the_only_water_and_fat_of_a_place_belong_together_at_any_times(time: str) -> None:
    late = replace(SCAN, number=2, time=time)
    assert len(plans_of(SCAN.files(("W",)), late.files(("F",)))[0]) == 1


def test_water_and_fat_before_and_after_midnight_are_one_station() -> None:
    before = replace(SCAN, date="20200229", time="235959.9")
    after = replace(SCAN, date="20200301", time="000000.1", number=2)
    assert len(plans_of(before.files(("W",)), after.files(("F",)))[0]) == 1
