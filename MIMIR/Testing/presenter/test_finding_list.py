"""Findings in words, in order of their severity, with their place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Optional

import pytest

from mimir_engine.study.finding import NOTE, STOP, Finding
from MIMIRLib.presenter.finding_list import FindingList, Place, StudyFindings, describe_finding

STATIONS = ({"from_mm": 100.0, "to_mm": 300.0}, {"from_mm": -100.0, "to_mm": 110.0})


def finding(**fields: Any) -> dict[str, Any]:
    return asdict(Finding("CODE", "station 2 is dark", **fields))


def listed(*findings: dict[str, Any]) -> FindingList:
    found = FindingList()
    found.show([StudyFindings("1.2", "Doe", findings, STATIONS, b"picture")])
    return found


def place_of(one: dict[str, Any]) -> Optional[Place]:
    found = listed(one)
    found.select(found.rows[0].key)
    return found.place


def test_the_most_serious_findings_come_first() -> None:
    found = listed(finding(severity=NOTE), finding(), finding(severity=STOP))

    assert [row.cells[0].text for row in found.rows] == ["stop", "warning", "note"]
    assert found.rows[0].cells[1].text == "Station 2 is dark."


def test_a_selected_finding_is_described_with_its_number_and_what_to_do() -> None:
    found = listed(finding(value=0.712, threshold=0.5, unit="mm", remedy="Look at it."))
    assert (found.text, found.picture) == ("", b"")

    found.select(found.rows[0].key)

    assert found.text == (
        "Warning: Station 2 is dark.\nMeasured: 0.712 mm; limit: 0.5 mm.\nLook at it."
    )
    assert found.picture == b"picture"


def test_a_number_without_a_unit_is_written_without_one() -> None:
    text = describe_finding(finding(value=0.7, threshold=0.5))

    assert text.endswith("Measured: 0.7; limit: 0.5.")


def test_findings_of_scenes_of_earlier_versions_are_warnings() -> None:
    assert describe_finding({"code": "A", "sentence": "b"}) == "Warning: B."


@pytest.mark.parametrize(
    ("fields", "z_mm", "side"),
    [
        ({"station": 2}, 5.0, ""),
        ({"station": 2, "side": "left"}, 5.0, "left"),
        ({"station": 2, "from_mm": 0.0, "to_mm": 10.0, "side": "right"}, 5.0, "right"),
        ({"from_mm": -20.0, "to_mm": 10.0}, -5.0, ""),
    ],
)
def test_the_place_is_the_middle_of_the_part_or_of_the_station(
    fields: dict[str, Any], z_mm: float, side: str
) -> None:
    assert place_of(finding(**fields)) == Place("1.2", z_mm, side)


def test_a_finding_of_the_whole_study_or_an_unknown_station_has_no_place() -> None:
    assert place_of(finding()) is None
    assert place_of(finding(station=3)) is None


def test_the_same_findings_keep_the_selection() -> None:
    found = listed(finding())
    found.select(found.rows[0].key)

    assert not found.show([StudyFindings("1.2", "Doe", (finding(),), STATIONS, b"picture")])
    assert found.text
    assert found.show([])
    assert (found.rows, found.text, found.place) == ([], "", None)
