"""Stations are found however a scanner or archive divides a study into series."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import BELOW, SCAN, STATIONS, code, codes, plans_of, refusal, z_of
from changes import all_of, of_slices, setting, without_times
from dicom_builder import Change, File, Scan, enhanced_file
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from mimir_engine.study import Contrast

TOPS = [scan.top_mm for scan in STATIONS]


def of_stations(*changes: Change, contrasts: tuple[str, ...] = ("F", "W")) -> list[File]:
    """Return the files of three stations, one change for each station."""
    return [
        file
        for scan, change in zip(STATIONS, changes)
        for file in scan.files(contrasts, change=change)
    ]


def heads_of(*groups: list[File]) -> list[float]:
    """Return the head end of each station; water and fat must both be complete."""
    plans, findings = plans_of(*groups)
    assert [len(z_of(plan, Contrast.FAT)) for plan in plans] == [s.slices for s in STATIONS]
    assert codes(findings) == []
    return [max(z_of(plan)) for plan in plans]


def one_series(dataset: Dataset, k: int) -> None:
    """Give all stations of a contrast one series."""
    dataset.SeriesInstanceUID = generate_uid("2.25.", [dataset.SeriesDescription])
    dataset.SeriesNumber = 5


def one_series_for_all(dataset: Dataset, k: int) -> None:
    """Give all stations and contrasts one series, as Philips does; ImageType tells the contrast."""
    dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.5", 501
    dataset.SeriesDescription = "mDIXON"


@pytest.mark.parametrize("joined", [one_series, one_series_for_all])
@pytest.mark.parametrize("keyword", ["StackID", "AcquisitionNumber"])
def test_stations_of_one_series_are_told_apart_by_a_number(joined: Change, keyword: str) -> None:
    # All are acquired at one time, and images are numbered in no order.
    same = all_of(joined, setting(AcquisitionTime="100000", InstanceNumber=1))
    changes = [all_of(same, setting(**{keyword: str(k + 1)})) for k in range(3)]
    assert heads_of(of_stations(*changes)) == TOPS


@pytest.mark.parametrize("joined", [one_series, one_series_for_all])
def test_stations_of_one_series_are_told_apart_by_their_times(joined: Change) -> None:
    change = all_of(joined, setting(InstanceNumber=1))
    assert heads_of(of_stations(*[change] * 3)) == TOPS


@pytest.mark.parametrize("ascending", [False, True])
def test_stations_of_one_series_are_told_apart_by_image_numbers_alone(ascending: bool) -> None:
    """Positions go back where the next station begins; the sizes of stations differ, too."""

    def numbered(station: int) -> Change:
        first = 1 + sum(scan.slices for scan in STATIONS[:station])

        def change(dataset: Dataset, k: int) -> None:
            place = STATIONS[station].slices - 1 - k if ascending else k
            dataset.InstanceNumber = first + place

        return all_of(one_series, without_times, change)

    assert heads_of(of_stations(*map(numbered, range(3)))) == TOPS


def test_alike_stations_of_one_series_are_told_apart_by_image_numbers_alone() -> None:
    scans = [replace(SCAN, top_mm=30.0 - 40 * n) for n in range(3)]

    def numbered(station: int) -> Change:
        def change(dataset: Dataset, k: int) -> None:
            dataset.InstanceNumber = 1 + station * SCAN.slices + k

        return all_of(one_series, without_times, change)

    files = [f for n, scan in enumerate(scans) for f in scan.files(change=numbered(n))]
    plans, findings = plans_of(files)
    assert [max(z_of(plan)) for plan in plans] == [scan.top_mm for scan in scans]
    assert codes(findings) == []


def test_stations_of_one_series_that_nothing_tells_apart_are_refused() -> None:
    change = all_of(one_series, without_times, setting(InstanceNumber=None))
    alike = [replace(SCAN, top_mm=30.0 - 40 * n) for n in range(3)]
    files = [f for scan in alike for f in scan.files(change=change)]
    assert code(files) in ("SLICES_UNEVEN", "SLICE_MISSING", "SLICE_AMBIGUOUS")


@pytest.mark.parametrize("same_number", [True, False])
def test_stations_that_touch_without_overlap_may_share_a_series(same_number: bool) -> None:
    scans = [replace(SCAN, top_mm=30.0 - 48 * n) for n in range(2)]
    change = all_of(one_series, without_times) if same_number else one_series
    plans, _ = plans_of(*(scan.files(change=change) for scan in scans))
    assert sorted(z for plan in plans for z in z_of(plan)) == sorted(
        z for s in scans for z in s.z_mm
    )


@pytest.mark.parametrize("missing", [2, 5])
def test_a_missing_slice_is_no_end_of_a_station(missing: int) -> None:
    numbers = [setting(StackID=str(n)) for n in range(3)]
    files = of_stations(*(all_of(one_series, change) for change in numbers))
    lost = [f for f in files if f"_W_{STATIONS[1].time}_{missing:03d}" in f.name]
    assert len(lost) == 1
    assert code([f for f in files if f not in lost]) == "SLICE_MISSING"


# ------------------------------------------------------------------ series UIDs


def own_uid(dataset: Dataset, k: int) -> None:
    dataset.SeriesInstanceUID = generate_uid("2.25.", [dataset.SOPInstanceUID])


@pytest.mark.parametrize(
    "change",
    [own_uid, setting(SeriesInstanceUID=None), setting(SeriesInstanceUID="")],
    ids=["one per slice", "removed", "emptied"],
)
@pytest.mark.parametrize("numbers", [True, False], ids=["with numbers", "without numbers"])
def test_slices_without_a_common_series_uid_are_joined(change: Change, numbers: bool) -> None:
    if not numbers:
        change = all_of(change, setting(SeriesNumber=None))
    plans, findings = plans_of(of_stations(*[change] * 3))
    assert [max(z_of(plan)) for plan in plans] == TOPS
    assert {*codes(findings)} == {"SERIES_REGROUPED"}
    assert f"joined to {6 if numbers else 2} series" in findings[0].sentence


@pytest.mark.parametrize("lacking", [{3}, {0, 5}, {1, 3, 5, 7, 9, 11, 13}])
def test_slices_that_lost_their_series_uid_join_the_others(lacking: set[int]) -> None:
    def lose(dataset: Dataset, k: int) -> None:
        if k in lacking:
            dataset.SeriesInstanceUID = ""

    plans, findings = plans_of(*(scan.files(change=lose) for scan in STATIONS))
    assert [max(z_of(plan)) for plan in plans] == TOPS
    assert codes(findings) == ["SERIES_REGROUPED"]


# ------------------------------------------------------------------ several images per place


def test_copies_in_one_series_have_one_finding_for_each_series() -> None:
    copies = [File(f"copy_{file.name}", file.content) for file in SCAN.files()]
    (plan,), _ = plans_of(SCAN.files(), copies)
    assert len(plan.twins) == 2 * SCAN.slices


def test_copies_in_one_series_may_be_numbered_on() -> None:
    def numbered_on(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber += SCAN.slices

    copies = [File(f"copy_{f.name}", f.content) for f in SCAN.files(change=numbered_on)]
    (plan, _), findings = plans_of(SCAN.files(), copies, BELOW.files())
    assert z_of(plan) == sorted(SCAN.z_mm)
    assert len(plan.copies) == 2 * SCAN.slices
    assert codes(findings) == ["SERIES_COPIED"]


@pytest.mark.parametrize("phase_only", [True, False])
def test_of_a_dynamic_scan_the_first_phase_counts(phase_only: bool) -> None:
    files = []
    for phase in (2, 1, 3):
        scan = replace(SCAN, time="100000" if phase_only else f"1000{phase}0")
        uids = setting(TemporalPositionIdentifier=phase, InstanceNumber=phase)
        files += [
            File(f"{phase}_{file.name}", file.content)
            for file in scan.files(change=all_of(one_series, uids))
        ]
    (plan, _), findings = plans_of(files, BELOW.files())
    assert codes(findings) == ["PHASES_LEFT_OUT"] * 2
    assert "3 phases" in findings[0].sentence
    assert {s.phase for crop in plan.crops.values() for s in crop.slices} == {1}


def test_a_planning_image_in_a_series_is_left_out() -> None:
    def sagittal(dataset: Dataset, k: int) -> None:
        dataset.ImageOrientationPatient = ["0", "1", "0", "0", "0", "-1"]
        dataset.ImagePositionPatient = ["0", "-100", "120"]
        dataset.InstanceNumber = 0

    planning = SCAN.files(("W",), sagittal, leave_out=range(1, SCAN.slices))
    fat = replace(SCAN, number=3).files(("F",))
    (plan,), findings = plans_of(
        SCAN.files(("W",)), fat, [file._replace(name="planning.dcm") for file in planning]
    )
    assert z_of(plan) == sorted(SCAN.z_mm)
    assert codes(findings) == ["SERIES_LEFT_OUT"]
    assert "sagittal" in findings[0].sentence


@pytest.mark.parametrize("kind", ["DIS3D", "NORM"])
def test_two_reconstructions_may_share_a_series(kind: str) -> None:
    """Each slice is there twice, told apart by ImageType alone."""
    files = SCAN.files() + BELOW.files()

    def other(dataset: Dataset, k: int) -> None:
        dataset.ImageType = [*dataset.ImageType, kind]

    again = [
        File(f"other_{f.name}", f.content)
        for scan in (SCAN, BELOW)
        for f in scan.files(change=other)
    ]
    plans, findings = plans_of(files, again)
    assert [len(z_of(plan)) for plan in plans] == [SCAN.slices, BELOW.slices]
    assert codes(findings) == ["RECONSTRUCTION_CHOSEN"]


# ------------------------------------------------------------------ orientation and position


@pytest.mark.parametrize("tilt", [0.0003, 0.0006, 0.0009])
def test_a_slight_tilt_is_no_sideways_shift(tilt: float) -> None:
    """Slices follow each other along their own normal."""

    def tilted(dataset: Dataset, k: int) -> None:
        x, y, z = map(float, dataset.ImagePositionPatient)
        dataset.ImageOrientationPatient = ["1", "0", f"{-tilt}", "0", "1", "0"]
        dataset.ImagePositionPatient = [f"{x + tilt * z:.6f}", str(y), str(z)]

    long = Scan(top_mm=100, slices=60, step_mm=4.0)
    ((plan,), findings) = plans_of(long.files(change=tilted))
    assert len(z_of(plan)) == 60
    assert codes(findings) == []


@pytest.mark.parametrize("tilt", [0.0, 0.0006])
def test_slices_that_are_shifted_sideways_are_refused(tilt: float) -> None:
    def shifted(dataset: Dataset, k: int) -> None:
        x, y, z = map(float, dataset.ImagePositionPatient)
        dataset.ImageOrientationPatient = ["1", "0", f"{-tilt}", "0", "1", "0"]
        dataset.ImagePositionPatient = [str(x + 0.5 * (k % 2)), str(y), str(z)]

    assert code(SCAN.files(change=shifted)) == "SLICES_UNEVEN"


@pytest.mark.parametrize("step", [1.25, 3.33, 4.46])
def test_positions_may_be_rounded_to_a_tenth_of_a_millimetre(step: float) -> None:
    def rounded(dataset: Dataset, k: int) -> None:
        dataset.ImagePositionPatient = [f"{float(v):.1f}" for v in dataset.ImagePositionPatient]

    fine = Scan(top_mm=10.03, slices=30, step_mm=step, first_mm=(-78.04, -93.96))
    (plan,), findings = plans_of(fine.files(change=rounded))
    assert len(z_of(plan)) == 30
    assert codes(findings) == []


@pytest.mark.parametrize("degrees", [2, 10])
@pytest.mark.parametrize("station", range(3))
def test_the_error_names_place_and_angle_of_an_oblique_station(degrees: int, station: int) -> None:
    cos, sin = {2: ("0.99939", "0.0349"), 10: ("0.98481", "0.17365")}[degrees]
    oblique = setting(ImageOrientationPatient=["1", "0", "0", "0", cos, sin])
    changes = [oblique if n == station else setting() for n in range(3)]
    error = refusal(of_stations(*changes))
    assert error.code == "NOT_AXIAL"
    assert f"tilted by {degrees}.0 degrees" in error.what
    assert f"at z = {STATIONS[station].top_mm:.0f} mm" in error.what
    assert sin in error.what or f"{float(sin):.4g}" in error.what


@pytest.mark.parametrize(
    "numbers", [range(3, 4), range(0, 1), range(0, 4)], ids=["one", "first", "half"]
)
def test_a_tilted_slice_within_a_station_is_refused(numbers: range) -> None:
    tilted = setting(ImageOrientationPatient=["1", "0", "0", "0", "0.9962", "0.0872"])
    assert code(SCAN.files(change=of_slices(numbers, tilted))) == "NOT_AXIAL"


# ------------------------------------------------------------------ enhanced files


def test_an_enhanced_file_may_hold_several_stations() -> None:
    """Frames say which stack they belong to."""

    def stack(number: int) -> Change:
        def change(frame: Dataset, k: int) -> None:
            frame.FrameContentSequence[0].StackID = str(number)

        return change

    files = [
        enhanced_file(scan, [("W", "WATER"), ("F", "FAT")], stack(n))
        for n, scan in enumerate(STATIONS)
    ]
    renamed = [file._replace(name=f"{n}.dcm") for n, file in enumerate(files)]
    assert heads_of(renamed) == TOPS
