"""Stations that are shorter than others of the same protocol are found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import codes, plans_of
from changes import setting
from dicom_builder import Scan

#: Three breath-hold stations that are alike, and one of another kind.
ALIKE = [Scan(top_mm=-48.0 * k, number=1 + 10 * k, time=f"10{k:02d}00") for k in range(3)]
LEGS = Scan(top_mm=-140.0, slices=20, step_mm=4.0, number=41, time="100300")
#: Image numbers that say nothing.
unnumbered = setting(InstanceNumber=None)


def test_stations_of_one_length_are_silent() -> None:
    assert plans_of(*(scan.files(change=unnumbered) for scan in (*ALIKE, LEGS)))[1] == []


@pytest.mark.parametrize("end", [0, 11])
def test_a_station_that_lost_a_slice_at_an_end_is_found_by_the_others(end: int) -> None:
    first, *others = [scan.files(change=unnumbered) for scan in ALIKE]
    short = ALIKE[0].files(change=unnumbered, leave_out=[end])
    assert len(short) < len(first)
    _, (finding,) = plans_of(short, *others)
    assert finding.code == "SLICES_LOST"
    assert "1 slice fewer" in finding.sentence


def test_two_stations_do_not_tell_which_of_them_is_short() -> None:
    short = replace(ALIKE[1], slices=11)
    assert (
        codes(plans_of(ALIKE[0].files(change=unnumbered), short.files(change=unnumbered))[1]) == []
    )
