"""Slices lost at an end of a station are found though positions show no gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from assembly_builder import SCAN, STATIONS, codes, plans_of, refusal
from changes import all_of, setting, without_times
from dicom_builder import Change, File, Scan
from pydicom.dataset import Dataset

ALL = ("in", "opp", "F", "W")
MEASURED = ("F", "W")
#: Image numbers that say nothing.
unnumbered = setting(InstanceNumber=None)


def lost_of(files: Sequence[File], station: int, slices: Sequence[int], contrasts=MEASURED):
    """Return the files without some slices of one station (0 at the head)."""
    time = STATIONS[station].time
    lost = {f"_{c}_{time}_{k:03d}.dcm" for c in contrasts for k in slices}
    return [f for f in files if not any(f.name.endswith(name) for name in lost)]


@pytest.fixture(scope="module")
def four_contrasts() -> list[File]:
    return [f for scan in STATIONS for f in scan.files(ALL, unnumbered)]


def end_of(station: int, end: str, count: int) -> range:
    slices = STATIONS[station].slices
    return range(count) if end == "head" else range(slices - count, slices)


# ------------------------------------------------------------------ in-phase and opposed-phase


@pytest.mark.parametrize("station", range(3))
@pytest.mark.parametrize("end", ["head", "foot"])
def test_a_slice_that_only_other_contrasts_show_has_a_finding(
    station: int, end: str, four_contrasts: list[File]
) -> None:
    files = lost_of(four_contrasts, station, end_of(station, end, 1))
    _, findings = plans_of(files)
    assert codes(findings) == ["SLICES_LOST"]
    assert f"1 at the {end} end" in findings[0].sentence


@pytest.mark.parametrize("station", range(3))
@pytest.mark.parametrize("end", ["head", "foot"])
@pytest.mark.parametrize("count", [2, 3])
def test_several_slices_that_only_other_contrasts_show_are_refused(
    station: int, end: str, count: int, four_contrasts: list[File]
) -> None:
    error = refusal(lost_of(four_contrasts, station, end_of(station, end, count)))
    assert error.code == "SLICE_MISSING"
    assert f"{count} at the {end} end" in error.what


def test_both_ends_are_named(four_contrasts: list[File]) -> None:
    files = lost_of(lost_of(four_contrasts, 0, [0]), 0, [8, 9])
    assert "1 at the head end and 2 at the foot end" in refusal(files).what


@pytest.mark.parametrize("other", ["in", "opp"])
def test_one_other_contrast_is_enough(other: str) -> None:
    files = [f for scan in STATIONS for f in scan.files((other, "F", "W"), unnumbered)]
    assert refusal(lost_of(files, 1, range(3))).code == "SLICE_MISSING"


@pytest.mark.parametrize("lost", [("in",), ("opp",), ("in", "opp")])
def test_slices_that_only_other_contrasts_lack_do_not_matter(
    lost: tuple[str, ...], four_contrasts: list[File]
) -> None:
    assert plans_of(lost_of(four_contrasts, 0, range(3), lost))[1] == []


def test_without_times_series_numbers_tell_which_contrasts_belong_together() -> None:
    change = all_of(unnumbered, without_times)
    files = [f for scan in STATIONS for f in scan.files(ALL, change)]
    assert plans_of(files)[1] == []
    assert refusal(lost_of(files, 0, range(3))).code == "SLICE_MISSING"


def test_a_scan_in_one_series_with_all_contrasts_is_compared() -> None:
    def one_series(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID = f"2.25.{dataset.AcquisitionTime}"
        dataset.SeriesDescription, dataset.SeriesNumber = "mDIXON", 501

    change = all_of(unnumbered, one_series)
    files = [f for scan in STATIONS for f in scan.files(ALL, change)]
    assert plans_of(files)[1] == []
    assert refusal(lost_of(files, 2, range(3))).code == "SLICE_MISSING"


@pytest.mark.parametrize("first_is_short", [True, False])
def test_a_repeat_is_compared_with_its_own_other_contrasts(first_is_short: bool) -> None:
    """A scan that was broken off is left out; its other contrasts accuse nobody."""
    whole, times = STATIONS[1], ("100030", "110000")
    short = replace(whole, slices=5, number=41)
    if first_is_short:
        times = times[::-1]
    scans = (STATIONS[0], replace(whole, time=times[0]), STATIONS[2], replace(short, time=times[1]))
    _, findings = plans_of(*(scan.files(ALL, unnumbered) for scan in scans))
    assert codes(findings) == ["STATION_RESCANNED"]


def test_a_repeat_that_lost_slices_is_found() -> None:
    """Of the later scan, water and fat lack one slice at the head that its in-phase has."""
    repeat = replace(STATIONS[1], time="110000", number=41)
    others = [f for scan in STATIONS for f in scan.files(ALL, unnumbered)]
    again = repeat.files(("in", "opp"), unnumbered)
    again += repeat.files(MEASURED, unnumbered, leave_out=[0])
    _, findings = plans_of(others, [File(f"r_{f.name}", f.content) for f in again])
    assert sorted(codes(findings)) == ["SLICES_LOST", "STATION_RESCANNED"]


def test_other_contrasts_of_another_protocol_accuse_nobody() -> None:
    """A long in-phase scan an hour later, without water and fat."""
    long = Scan(top_mm=300, slices=60, number=71, time="110000")
    other = long.files(("in",), setting(SeriesDescription="t1_vibe_in"))
    assert plans_of(*(scan.files() for scan in STATIONS), other)[1] == []


@pytest.mark.parametrize("station", [0, 2])
@pytest.mark.parametrize("left", [0, 2], ids=["none", "the slices that overlap"])
def test_a_station_that_only_other_contrasts_show_has_a_finding(station: int, left: int) -> None:
    """Water and fat of a station at an end were lost, or what is left looks like a short repeat."""
    files = []
    for n in range(3):
        scan = replace(SCAN, top_mm=30.0 - 40 * n, number=10 * n + 1, time=f"10{n}000")
        files += scan.files(("in", "opp"), unnumbered)
        lost = range(SCAN.slices - left) if n == 0 else range(left, SCAN.slices)
        files += replace(scan, number=scan.number + 2).files(
            MEASURED, unnumbered, leave_out=lost if n == station else ()
        )
    _, findings = plans_of(files)
    (sentence,) = [f.sentence for f in findings if f.code == "SLICES_LOST"]
    assert "a station may be missing" in sentence


@pytest.mark.parametrize(
    ("names", "is_found"),
    [
        ({"WATER": "WATER: LAVA", "IN_PHASE": "InPhase: LAVA"}, True),
        ({"WATER": "mDIXON", "IN_PHASE": "mDIXON"}, True),
        ({"WATER": "Dixon_BH_17s_W", "IN_PHASE": "Dixon_BH_17s_in"}, True),
        ({"WATER": "Dixon_W", "IN_PHASE": "liver_in"}, False),
    ],
    ids=["GE", "Philips", "Siemens", "another protocol"],
)
def test_the_protocol_is_known_by_its_name(names: dict[str, str], is_found: bool) -> None:
    def name(dataset: Dataset, k: int) -> None:
        dataset.SeriesDescription = names.get(dataset.ImageType[3], "")

    _, findings = plans_of(
        *(scan.files(MEASURED, name) for scan in STATIONS[:2]), STATIONS[2].files(("in",), name)
    )
    assert codes(findings) == (["SLICES_LOST"] if is_found else [])


# ------------------------------------------------------------------ image numbers


def test_numbers_that_begin_above_1_have_a_finding_for_each_series() -> None:
    files = [f for scan in STATIONS for f in scan.files()]
    _, findings = plans_of(lost_of(files, 0, range(3)))
    assert codes(findings) == ["SLICES_LOST"] * 2
    assert "3 images" in findings[0].sentence


def test_numbers_with_a_gap_at_a_place_that_is_no_gap_have_a_finding() -> None:
    """Numbers run from foot to head, and the head was lost: the largest numbers are absent."""

    def gap(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber += 2 if k > 3 else 0

    _, findings = plans_of(STATIONS[0].files(change=gap), STATIONS[1].files())
    assert codes(findings) == ["SLICES_LOST"] * 2
    assert "2 images" in findings[0].sentence


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset, k: setattr(dataset, "InstanceNumber", k),
        lambda dataset, k: setattr(dataset, "InstanceNumber", 1),
        lambda dataset, k: setattr(dataset, "InstanceNumber", 10 * (k + 1)),
        lambda dataset, k: setattr(dataset, "InstanceNumber", 1000 + k),
        lambda dataset, k: setattr(dataset, "InstanceNumber", -k),
        unnumbered,
    ],
    ids=["from 0", "constant", "in tens", "from 1000", "negative", "missing"],
)
def test_other_habits_of_numbering_say_nothing(change: Change) -> None:
    assert plans_of(*(scan.files(change=change) for scan in STATIONS))[1] == []


def numbered_throughout(scans: Sequence[Scan], by_contrast: bool) -> list[File]:
    """Number all images of a study, or of each contrast, throughout."""
    files, number = [], {"F": 0, "W": 0}
    for scan in scans:
        for n, suffix in enumerate(MEASURED):
            key = suffix if by_contrast else "F"

            def change(dataset: Dataset, k: int, first: int = number[key] + 1) -> None:
                dataset.InstanceNumber = first + k

            files += replace(scan, number=scan.number + n).files((suffix,), change)
            number[key] += scan.slices
    return files


@pytest.mark.parametrize("by_contrast", [True, False])
@pytest.mark.parametrize("slices", [(8, 8, 8), (8, 20, 8), (20, 8, 14)])
def test_studies_that_are_numbered_throughout_say_nothing(
    by_contrast: bool, slices: tuple[int, ...]
) -> None:
    scans = [
        Scan(top_mm=-5.0 * sum(slices[:n]), slices=count, step_mm=6, number=10 * n + 1)
        for n, count in enumerate(slices)
    ]
    scans = [replace(scan, time=f"10{n}000") for n, scan in enumerate(scans)]
    assert plans_of(numbered_throughout(scans, by_contrast))[1] == []


def test_a_series_with_several_contrasts_says_nothing() -> None:
    def one_series(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID = f"2.25.{dataset.AcquisitionTime}"
        place = ("WATER", "FAT").index(dataset.ImageType[3])
        dataset.InstanceNumber = 4 * k + 1 + place
        dataset.SeriesDescription, dataset.SeriesNumber = "mDIXON", 501

    assert plans_of(*(scan.files(change=one_series) for scan in STATIONS))[1] == []


# ------------------------------------------------------------------ declared number of images


def test_fewer_images_than_the_scanner_declares_have_a_finding() -> None:
    declared = all_of(unnumbered, setting(ImagesInAcquisition=STATIONS[0].slices))
    files = [f for scan in STATIONS[1:] for f in scan.files(change=unnumbered)]
    _, findings = plans_of(STATIONS[0].files(change=declared, leave_out=range(2)), files)
    assert codes(findings) == ["SLICES_LOST"] * 2
    assert "2 images" in findings[0].sentence


@pytest.mark.parametrize("contrasts", [1, 2, 3, 4])
def test_the_declared_number_may_be_that_of_several_contrasts(contrasts: int) -> None:
    def declared(scan: Scan) -> Change:
        return all_of(unnumbered, setting(ImagesInAcquisition=contrasts * scan.slices))

    assert plans_of(*(scan.files(change=declared(scan)) for scan in STATIONS))[1] == []
