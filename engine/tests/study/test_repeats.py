"""Of a station that was scanned more than once, the latest complete scan counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import BELOW, SCAN, STATIONS, code, codes, numbers_of, plans_of, z_of
from changes import all_of, setting, without_times
from dicom_builder import Scan, all_files


@pytest.mark.parametrize(
    "later",
    [
        replace(SCAN, time="100500", number=21),
        replace(SCAN, time="100500", number=0),
        replace(SCAN, date="20200301", time="000500", number=21),
        replace(SCAN, time="100500", number=21, top_mm=SCAN.top_mm + 0.1),
        replace(SCAN, time="100500", number=21, top_mm=SCAN.top_mm - 12),
        replace(SCAN, time="100500", number=21, slices=7),
    ],
    ids=["later", "lower number", "next day", "moved a little", "moved much", "a slice fewer"],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_latest_complete_scan_of_a_station_is_chosen(later: Scan, swapped: bool) -> None:
    groups = [SCAN.files(), later.files()]
    (plan, _), findings = plans_of(*(groups[::-1] if swapped else groups), BELOW.files())
    assert codes(findings) == ["STATION_RESCANNED"]
    assert numbers_of(plan) == [later.number, later.number + 1]
    assert len({s.acquired for crop in plan.crops.values() for s in crop.slices}) == 1


def test_a_later_scan_that_leaves_a_gap_is_not_chosen() -> None:
    moved = replace(SCAN, number=21, time="100500", top_mm=SCAN.top_mm + 18)
    (plan, _), findings = plans_of(SCAN.files(), moved.files(), BELOW.files())
    assert codes(findings) == ["STATION_RESCANNED"]
    assert numbers_of(plan) == [1, 2]


def test_two_halves_do_not_replace_the_whole_scan() -> None:
    upper = replace(SCAN, slices=4, number=21, time="100500")
    lower = replace(SCAN, slices=4, number=24, time="100600", top_mm=SCAN.top_mm - 24)
    (plan, _), findings = plans_of(*(s.files() for s in (SCAN, upper, lower, BELOW)))
    assert codes(findings) == ["STATION_RESCANNED"] * 2
    assert numbers_of(plan) == [1, 2]


def test_the_last_of_three_scans_is_chosen() -> None:
    scans = [replace(SCAN, number=n, time=f"10{n:02d}00") for n in (1, 11, 21)]
    (plan, _), findings = plans_of(*(scan.files() for scan in scans), BELOW.files())
    assert codes(findings) == ["STATION_RESCANNED"] * 2
    assert numbers_of(plan) == [21, 22]


@pytest.mark.parametrize("contrast", ["W", "F"])
def test_no_contrast_of_an_incomplete_repeat_is_used(contrast: str) -> None:
    later = replace(SCAN, number=21, time="100500")
    (plan,), findings = plans_of(SCAN.files(), later.files((contrast,)))
    assert codes(findings) == ["STATION_RESCANNED"]
    assert "incomplete" in findings[0].sentence
    assert numbers_of(plan) == [1, 2]


def test_no_contrast_of_an_aborted_first_scan_is_used() -> None:
    later = replace(SCAN, number=21, time="100500")
    (plan,), _ = plans_of(SCAN.files(("W",)), later.files())
    assert numbers_of(plan) == [21, 22]


@pytest.mark.parametrize("holed", [("F",), ("W",), ("F", "W")])
@pytest.mark.parametrize("number", [21, 0])
def test_a_complete_scan_replaces_one_with_missing_slices(
    holed: tuple[str, ...], number: int
) -> None:
    damaged = replace(SCAN, number=number, time="100500" if number else "095500")
    intact = [c for c in ("F", "W") if c not in holed]
    (plan, _), findings = plans_of(
        SCAN.files(), damaged.files(holed, leave_out=[4]), damaged.files(intact), BELOW.files()
    )
    assert {*codes(findings)} <= {"SERIES_LEFT_OUT", "STATION_RESCANNED"}
    assert any("has a gap" in finding.sentence for finding in findings)
    assert numbers_of(plan) == [1, 2]


def test_a_neighbouring_station_does_not_replace_missing_slices() -> None:
    assert code(SCAN.files(), BELOW.files(leave_out=[4])) == "SLICE_MISSING"


def test_without_times_series_numbers_decide() -> None:
    later = replace(SCAN, number=21)
    (plan, _), findings = plans_of(
        *(scan.files(change=without_times) for scan in (SCAN, later, BELOW))
    )
    assert codes(findings) == ["STATION_RESCANNED"]
    assert numbers_of(plan) == [21, 22]


@pytest.mark.parametrize(
    "other",
    [
        replace(SCAN, number=21, time="100500", step_mm=3.0, slices=16),
        replace(SCAN, number=21, time="100500", pixel_mm=(2.0, 2.0), shape=(96, 80)),
    ],
    ids=["finer slices", "finer pixels"],
)
def test_a_different_scan_of_the_only_place_is_refused(other: Scan) -> None:
    assert code(SCAN.files(), other.files()) == "STATION_AMBIGUOUS"


# ------------------------------------------------------------------ half repeats


FILES = [*all_files(STATIONS)]


def half(scan: Scan, share: float, end: str, number: int, time: str) -> Scan:
    """Return a repeat of which only the upper or lower part exists."""
    slices = max(round(share * scan.slices), 2)
    top = scan.top_mm if end == "upper" else scan.z_mm[scan.slices - slices]
    return replace(scan, slices=slices, top_mm=top, number=number, time=time)


@pytest.mark.parametrize("station", range(3))
@pytest.mark.parametrize("end", ["upper", "lower"])
@pytest.mark.parametrize("share", [0.15, 0.5, 0.8])
@pytest.mark.parametrize("time", ["095000", "110000"], ids=["earlier", "later"])
def test_half_a_scan_never_replaces_the_whole_one(
    station: int, end: str, share: float, time: str
) -> None:
    repeat = half(STATIONS[station], share, end, 41, time)
    plans, findings = plans_of(FILES, repeat.files())
    assert [numbers_of(plan)[0] for plan in plans] == [scan.number for scan in STATIONS]
    assert [len(z_of(plan)) for plan in plans] == [scan.slices for scan in STATIONS]
    assert codes(findings) == ["STATION_RESCANNED"]
    assert "shorter" in findings[0].sentence


@pytest.mark.parametrize("station", range(3))
def test_half_a_scan_without_times_and_numbers_never_replaces_the_whole_one(station: int) -> None:
    nothing = all_of(without_times, setting(SeriesNumber=None))
    repeat = half(STATIONS[station], 0.5, "upper", 41, "110000")
    files = [f for scan in (*STATIONS, repeat) for f in scan.files(change=nothing)]
    plans, findings = plans_of(files)
    assert [len(z_of(plan)) for plan in plans] == [scan.slices for scan in STATIONS]
    assert codes(findings) == ["STATION_RESCANNED"]


def test_a_middle_part_of_a_scan_never_replaces_the_whole_one() -> None:
    scan = STATIONS[0]
    repeat = replace(scan, top_mm=scan.z_mm[3], slices=4, number=41, time="110000")
    plans, findings = plans_of(FILES, repeat.files())
    assert [len(z_of(plan)) for plan in plans] == [s.slices for s in STATIONS]
    assert codes(findings) == ["STATION_RESCANNED"]


@pytest.mark.parametrize("contrast", ["W", "F"])
@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_repeat_that_lacks_a_contrast_is_left_out(contrast: str, share: float) -> None:
    repeat = half(STATIONS[1], share, "upper", 41, "110000")
    plans, findings = plans_of(FILES, repeat.files((contrast,)))
    assert numbers_of(plans[1]) == [STATIONS[1].number, STATIONS[1].number + 1]
    assert codes(findings) == ["STATION_RESCANNED"]
    assert "incomplete" in findings[0].sentence


# ------------------------------------------------------------------ contrast agent


@pytest.mark.parametrize("agent_first", [True, False])
def test_the_scan_without_contrast_agent_counts(agent_first: bool) -> None:
    native, with_agent = ("110000", "100000") if agent_first else ("100000", "110000")
    agent = setting(ContrastBolusAgent="Gadovist")
    plans, findings = plans_of(
        *(replace(s, time=native).files() for s in STATIONS),
        *(replace(s, time=with_agent, number=s.number + 40).files(change=agent) for s in STATIONS),
    )
    assert [numbers_of(plan)[0] for plan in plans] == [scan.number for scan in STATIONS]
    assert codes(findings) == ["STATION_RESCANNED"] * 3
    assert all("with contrast agent" in finding.sentence for finding in findings)


@pytest.mark.parametrize(
    "text", ["", "NONE", "no contrast", "ohne KM", "kein", "n.a.", "nativ", "0"]
)
def test_a_header_that_says_that_no_contrast_agent_was_given_means_a_native_scan(text: str) -> None:
    assert plans_of(SCAN.files(change=setting(ContrastBolusAgent=text)))[1] == []


@pytest.mark.parametrize("text", ["Gadovist 1.0", "Novist", "Nonionic", "Nativist", "YES", "10 ml"])
def test_a_study_with_contrast_agent_alone_has_a_finding(text: str) -> None:
    _, findings = plans_of(*(s.files(change=setting(ContrastBolusAgent=text)) for s in STATIONS))
    assert codes(findings) == ["CONTRAST_AGENT"]


# ------------------------------------------------------------------ another protocol


def test_a_scan_of_another_protocol_inside_a_station_is_left_out() -> None:
    liver = Scan(top_mm=-10, slices=12, step_mm=3, pixel_mm=(2, 2), shape=(92, 80), number=41)
    for time in ("090000", "110000"):
        plans, findings = plans_of(FILES, replace(liver, time=time).files())
        assert [numbers_of(plan)[0] for plan in plans] == [scan.number for scan in STATIONS]
        assert codes(findings) == ["SERIES_LEFT_OUT"]
        assert "another protocol" in findings[0].sentence


def test_halves_that_were_scanned_again_do_not_replace_the_station() -> None:
    upper = replace(SCAN, slices=4, number=21, time="100500")
    lower = replace(SCAN, slices=4, number=24, time="100600", top_mm=SCAN.top_mm - 24)
    (plan, _), findings = plans_of(
        *(scan.files() for scan in (SCAN, upper, lower, BELOW)),
    )
    assert codes(findings) == ["STATION_RESCANNED"] * 2
    assert numbers_of(plan) == [1, 2]
