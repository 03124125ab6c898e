"""What tells one scanner from another, and the month of a scan."""

from __future__ import annotations

from datetime import datetime

import pytest
from changes import water
from station_builder import slice_of

from mimir_engine.headers.acquisition_time import month_of
from mimir_engine.headers.scanner import LABEL_CHARACTERS, Scanner, device_label


def scanner_of(**attributes: object) -> Scanner:
    return slice_of(water(**attributes)).series.scanner


def test_scanners_of_one_model_differ_by_the_label_of_their_serial_number() -> None:
    first, second = (scanner_of(DeviceSerialNumber=number) for number in ("45123", "45124"))
    assert first.shown != second.shown
    assert first == scanner_of(DeviceSerialNumber="45123 ", StationName="renamed")


def test_a_label_does_not_show_the_serial_number_or_the_name_of_a_hospital() -> None:
    label = device_label("SIEMENS", "", "Hospital X, MR2")
    assert len(label) == LABEL_CHARACTERS
    assert set(label) <= set("0123456789abcdef")
    assert device_label("SIEMENS", " ", "") == "", "an unknown device has no label"


def test_a_scanner_is_shown_in_one_line() -> None:
    assert Scanner("SIEMENS ", "Aera", 1.494, "12ab").shown == "SIEMENS Aera 1.5 T #12ab"
    assert Scanner().shown == ""


@pytest.mark.parametrize("moment", [datetime(2024, 2, 29, 23, 59), datetime(1999, 12, 1)])
def test_the_month_of_a_scan(moment: datetime) -> None:
    seconds = (moment.toordinal() * 24 + moment.hour) * 3600.0
    assert month_of(seconds) == f"{moment:%Y-%m}"


@pytest.mark.parametrize("seconds", [None, 0.0, -5.0, 1e15])
def test_a_time_that_is_unknown_has_no_month(seconds: float | None) -> None:
    assert month_of(seconds) == ""
