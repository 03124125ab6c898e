"""Times are read from the attributes that are there, and ordered around midnight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from assembly_builder import BELOW, SCAN, codes, numbers_of, plans_of
from changes import setting, water
from dicom_builder import Scan
from station_builder import slice_of, slices_of

#: The only date is that on which the examination began.
only_study_date = setting(AcquisitionDate=None)


@pytest.mark.parametrize(
    ("changes", "seconds_after_midnight"),
    [
        ({}, 36_000),
        ({"AcquisitionTime": "100000.25"}, 36_000.25),
        ({"AcquisitionTime": "1000"}, 36_000),
        ({"AcquisitionTime": "10"}, 36_000),
        ({"AcquisitionDateTime": "20200229100001.5+0100"}, 36_001.5),
        ({"AcquisitionDateTime": "20200229100001-0500"}, 36_001),
        ({"AcquisitionDate": None, "SeriesDate": "20200229", "SeriesTime": "100002"}, 36_002),
        ({"AcquisitionTime": None, "SeriesDate": "20200229", "SeriesTime": "100002"}, 36_002),
        ({"AcquisitionDate": None}, 36_000),  # with the study's date
        ({"AcquisitionDate": None, "SeriesDate": "20200301", "SeriesTime": "000001"}, 86_401),
    ],
)
def test_the_time_of_acquisition(changes: dict[str, Any], seconds_after_midnight: float) -> None:
    midnight = slice_of(water(AcquisitionTime="000000")).acquired
    acquired = slice_of(water(**changes)).acquired
    assert midnight is not None
    assert acquired is not None
    assert acquired - midnight == seconds_after_midnight


@pytest.mark.parametrize(
    "changes",
    [
        {"AcquisitionTime": None},
        {"AcquisitionDate": None, "StudyDate": None},
        {"AcquisitionTime": "nan"},
        {"AcquisitionTime": "25"},
        {"AcquisitionDate": "20200230"},
        {"AcquisitionDateTime": "soon"},
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_an_invalid_time_is_unknown(changes: dict[str, Any]) -> None:
    assert slice_of(water(**changes)).acquired is None


BEFORE = replace(SCAN, time="235950", number=11)
AFTER = replace(SCAN, time="000030", number=1)


def test_times_after_midnight_are_later_though_only_the_date_of_the_study_is_there() -> None:
    below = replace(BELOW, time="000100", number=21)
    (plan, _), findings = plans_of(
        *(scan.files(change=only_study_date) for scan in (BEFORE, AFTER, below))
    )
    assert numbers_of(plan) == [AFTER.number, AFTER.number + 1]
    assert codes(findings) == ["STATION_RESCANNED"]
    assert "earlier" in findings[0].sentence


def test_a_long_examination_in_one_day_stays_in_that_day() -> None:
    scans = [replace(SCAN, time=time) for time in ("080000", "120000", "190000")]
    slices = slices_of(*(f for scan in scans for f in scan.files(change=only_study_date)))
    times = sorted({s.acquired for s in slices if s.acquired is not None})
    assert [round(time - times[0]) for time in times] == [0, 4 * 3600, 11 * 3600]


def test_dates_of_the_slices_themselves_are_never_changed() -> None:
    slices = slices_of(*BEFORE.files(), *AFTER.files())
    times = sorted({s.acquired for s in slices if s.acquired is not None})
    assert times[1] - times[0] == 24 * 3600 - 40


@pytest.mark.parametrize(
    "change",
    [
        setting(AcquisitionTime="120000", AcquisitionDate="19000101", StudyDate="19000101"),
        setting(AcquisitionTime=None, AcquisitionDate=None, StudyDate=None),
        setting(AcquisitionTime="", AcquisitionDate="", StudyDate=""),
    ],
    ids=["all equal", "removed", "emptied"],
)
def test_times_that_say_nothing_are_not_needed(change: Any) -> None:
    plans, findings = plans_of(SCAN.files(change=change), BELOW.files(change=change))
    assert len(plans) == 2
    assert findings == []


@pytest.mark.parametrize("first", [SCAN, replace(SCAN, number=31)])
def test_equal_times_throughout_do_not_make_a_repeat_a_copy(first: Scan) -> None:
    later = replace(SCAN, number=21)
    change = setting(AcquisitionTime="120000")
    (plan, _), findings = plans_of(*(s.files(change=change) for s in (first, later, BELOW)))
    number = max(first.number, later.number)
    assert numbers_of(plan) == [number, number + 1]
    assert codes(findings) == ["STATION_RESCANNED"]
