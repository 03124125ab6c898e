"""Scans are grouped by the place they show; what other scans show as well is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import SCAN, code, codes, numbers_of, plans_of, refusal, z_of
from changes import all_of, setting, without_times
from dicom_builder import Change, File, Scan, complete_study
from pydicom.dataset import Dataset

STATIONS = complete_study()
#: All stations as one volume, as scanners compose them.
COMPOSED = Scan(top_mm=0.0, slices=48, step_mm=3.0, number=51, time="100200")


# ------------------------------------------------------------------ positions that were lost

ALIKE = [replace(SCAN, number=10 * n + 1, time=f"10{n}000") for n in range(6)]
UNLIKE = [
    replace(SCAN, number=10 * n + 1, time=f"10{n}000", slices=slices, top_mm=3.0 * slices)
    for n, slices in enumerate((16, 11, 12, 10, 18, 14))
]
OTHER_VOXELS = [
    replace(scan, step_mm=step, top_mm=step * scan.slices / 2)
    for scan, step in zip(UNLIKE, (3.0, 4.5, 4.5, 4.5, 3.5, 4.0))
]


@pytest.mark.parametrize(
    "stations",
    [ALIKE, UNLIKE, OTHER_VOXELS],
    ids=["alike", "of unequal lengths", "of unequal voxels"],
)
@pytest.mark.parametrize("change", [setting(), without_times], ids=["with times", "without"])
def test_stations_whose_positions_were_lost_are_refused(
    stations: list[Scan], change: Change
) -> None:
    """An export that sets the isocentre to zero puts all stations at one place."""
    error = refusal(*(scan.files(change=change) for scan in stations))
    assert error.code == "STATION_LAYOUT"
    assert "6 scans show one place" in error.what
    assert "positions" in error.what


def test_two_scans_of_the_only_place_are_refused() -> None:
    assert code(*(scan.files() for scan in ALIKE[:2])) == "STATION_LAYOUT"


# ------------------------------------------------------------------ composed series


@pytest.mark.parametrize("step", [3.0, 4.5])
def test_a_composed_series_beside_its_stations_is_left_out(
    step: float, study_files: tuple[File, ...]
) -> None:
    """Some scanners do not say in ImageType that a series was composed."""
    whole = replace(COMPOSED, step_mm=step, slices=round(144 / step))
    plans, findings = plans_of(study_files, whole.files())
    assert [numbers_of(plan)[0] for plan in plans] == [scan.number for scan in STATIONS]
    assert codes(findings) == ["SERIES_LEFT_OUT"] * 2
    assert "composed of several stations" in findings[0].sentence


def test_a_composed_series_that_says_so_is_no_station(study_files: tuple[File, ...]) -> None:
    def composed(dataset: Dataset, k: int) -> None:
        dataset.ImageType = [*dataset.ImageType, "COMPOSED"]

    plans, findings = plans_of(study_files, COMPOSED.files(change=composed))
    assert len(plans) == 3
    assert findings == []


def test_a_long_station_is_not_composed_of_a_short_repeat() -> None:
    """One part of it is there on its own; that makes no study of stations."""
    part = replace(STATIONS[0], slices=8, number=41, time="110000")
    plans, findings = plans_of(*(scan.files() for scan in STATIONS), part.files())
    assert [len(z_of(plan)) for plan in plans] == [scan.slices for scan in STATIONS]
    assert codes(findings) == ["STATION_RESCANNED"]


# ------------------------------------------------------------------ scans of other protocols


@pytest.mark.parametrize("time", ["090000", "110000"])
@pytest.mark.parametrize("top_mm", [-10.0, -27.0, -60.0, -70.0])
def test_a_liver_scan_anywhere_within_the_stations_is_left_out(
    top_mm: float, time: str, study_files: tuple[File, ...]
) -> None:
    """Within one station, or across the border of two."""
    liver = Scan(*(top_mm, 24, 2.0, (96, 80), (2.0, 2.0)), number=41, time=time, date="20200229")
    plans, findings = plans_of(study_files, liver.files())
    assert [numbers_of(plan)[0] for plan in plans] == [scan.number for scan in STATIONS]
    assert codes(findings) == ["SERIES_LEFT_OUT"]
    assert "another protocol" in findings[0].sentence


@pytest.mark.parametrize("contrasts", [("W",), ("F",)])
def test_one_contrast_of_another_scan_is_left_out(
    contrasts: tuple[str, ...], study_files: tuple[File, ...]
) -> None:
    liver = Scan(-27.0, 24, 2.0, (96, 80), (2.0, 2.0), number=41, time="110000")
    plans, findings = plans_of(study_files, liver.files(contrasts))
    assert [numbers_of(plan)[0] for plan in plans] == [scan.number for scan in STATIONS]
    assert len(findings) == 1


def view(orientation: list[str], first_mm: list[str], direction: int) -> Change:
    def change(dataset: Dataset, k: int) -> None:
        position = [float(v) for v in first_mm]
        position[direction] += 5.0 * k
        dataset.ImageOrientationPatient = orientation
        dataset.ImagePositionPatient = [str(v) for v in position]

    return change


CORONAL = view(["1", "0", "0", "0", "0", "-1"], ["-78", "-40", "40"], 1)
SAGITTAL = view(["0", "1", "0", "0", "0", "-1"], ["-40", "-94", "40"], 0)
OBLIQUE = view(["1", "0", "0", "0", "0.5", "-0.8660254"], ["-78", "-40", "40"], 1)


@pytest.mark.parametrize(
    ("change", "name"), [(CORONAL, "coronal"), (SAGITTAL, "sagittal"), (OBLIQUE, "coronal")]
)
@pytest.mark.parametrize("contrasts", [("F", "W"), ("W",)])
def test_a_view_from_another_side_is_left_out(
    change: Change, name: str, contrasts: tuple[str, ...], study_files: tuple[File, ...]
) -> None:
    other = Scan(number=41, time="110000").files(contrasts, change)
    plans, findings = plans_of(study_files, other)
    assert len(plans) == 3
    assert codes(findings) == ["SERIES_LEFT_OUT"] * len(contrasts)
    assert name in findings[0].sentence


@pytest.mark.parametrize("change", [CORONAL, SAGITTAL])
def test_views_from_another_side_alone_are_refused(change: Change) -> None:
    assert code(Scan().files(change=change)) == "NOT_AXIAL"


def test_a_planning_image_beside_the_stations_is_left_out(
    study_files: tuple[File, ...],
) -> None:
    """A localizer called so that it counts as water, three views in one series."""
    views = [CORONAL, SAGITTAL, setting()]

    def localizer(dataset: Dataset, k: int) -> None:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "DIXON", "WATER"]
        dataset.SeriesDescription = "localizer_W"
        views[k](dataset, 0)

    planning = Scan(-40.0, 3, number=41, time="095000").files(("W",), localizer)
    plans, findings = plans_of(study_files, planning)
    assert len(plans) == 3
    assert {*codes(findings)} == {"SERIES_LEFT_OUT"}


def test_a_scan_beyond_the_stations_is_a_station(study_files: tuple[File, ...]) -> None:
    """Other slices below the last station are part of the body."""
    legs = Scan(-120.0, 14, 5.0, number=41, time="100130")
    assert len(plans_of(study_files, legs.files())[0]) == 4


def test_a_series_with_a_gap_is_left_out_where_stations_show_what_it_shows(
    study_files: tuple[File, ...],
) -> None:
    damaged = Scan(-6.0, 14, 4.0, number=41, time="110000")
    change = all_of(setting(SeriesDescription="again_W"))
    plans, findings = plans_of(study_files, damaged.files(("W",), change, leave_out=[6]))
    assert len(plans) == 3
    assert codes(findings) == ["SERIES_LEFT_OUT"]
    assert "has a gap" in findings[0].sentence
