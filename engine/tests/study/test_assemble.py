"""Slices are grouped into stations by their headers; ambiguous studies are refused."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dicom_builder import Change, File, Scan, all_files, complete_study
from pydicom.dataset import Dataset
from station_builder import headers_of

from mimir_engine.errors import MimirError
from mimir_engine.study import Contrast
from mimir_engine.study.assemble import assemble
from mimir_engine.study.finding import Finding
from mimir_engine.study.station_plan import StationPlan

SCAN = Scan(top_mm=30, slices=8)
BELOW = Scan(top_mm=-12, slices=8, number=11, time="100100")


def plans_of(*groups: Iterable[File]) -> tuple[list[StationPlan], list[Finding]]:
    assembly = assemble(headers_of(*(file for group in groups for file in group)))
    return assembly.plans, assembly.findings


def code(*groups: Iterable[File]) -> str:
    with pytest.raises(MimirError) as raised:
        plans_of(*groups)
    return raised.value.code


def setting(**attributes: Any) -> Change:
    def change(dataset: Dataset, k: int) -> None:
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)

    return change


def of_slice(number: int, **attributes: Any) -> Change:
    def change(dataset: Dataset, k: int) -> None:
        if k == number:
            setting(**attributes)(dataset, k)

    return change


def without_times(dataset: Dataset, k: int) -> None:
    del dataset.AcquisitionTime


def z_of(plan: StationPlan, contrast: Contrast = Contrast.WATER) -> list[float]:
    return [s.position_mm[2] for s in plan.crops[contrast].slices]


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def times_of(plan: StationPlan) -> set[float | None]:
    return {s.acquired for crop in plan.crops.values() for s in crop.slices}


def numbers_of(plan: StationPlan) -> list[int]:
    return [plan.crops[c].slices[0].series.number for c in (Contrast.FAT, Contrast.WATER)]


# ------------------------------------------------------------------ good studies


def test_slices_of_a_station_are_ordered_from_foot_to_head() -> None:
    (plan,), findings = plans_of(SCAN.files())
    assert findings == []
    assert z_of(plan) == z_of(plan, Contrast.FAT) == [-12, -6, 0, 6, 12, 18, 24, 30]
    np.testing.assert_allclose(
        plan.affine, [[4, 0, 0, -78], [0, 4, 0, -94], [0, 0, 6, -12], [0, 0, 0, 1]]
    )


def test_stations_are_ordered_from_head_to_foot_in_any_order_of_files() -> None:
    files = list(all_files(complete_study()))
    random.Random(5).shuffle(files)
    plans, findings = plans_of(files)
    assert findings == []
    assert [max(z_of(plan)) for plan in plans] == [0, -36, -81]


def test_neighbours_that_overlap_by_less_than_half_are_two_stations() -> None:
    assert len(plans_of(SCAN.files(), BELOW.files())[0]) == 2


def test_positions_and_not_instance_numbers_order_the_slices() -> None:
    (plan,), _ = plans_of(SCAN.files(change=setting(InstanceNumber=1)))
    assert z_of(plan) == sorted(z_of(plan))


@pytest.mark.parametrize("step", [6.2, 5.8])
def test_a_step_that_rounding_explains_is_even(step: float) -> None:
    nudged = of_slice(3, ImagePositionPatient=[-78, -94, SCAN.z_mm[2] - step])
    assert len(plans_of(SCAN.files(change=nudged))[0]) == 1


def test_water_and_fat_of_one_series_are_separated() -> None:
    """Philips writes classic files as one series, with the contrast in ImageType."""

    def one_series(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.5", 501
        dataset.SeriesDescription = "mDIXON"

    (plan,), _ = plans_of(SCAN.files(change=one_series))
    assert set(plan.crops) == {Contrast.WATER, Contrast.FAT}


# ------------------------------------------------------------------ slices


@pytest.mark.parametrize("contrasts", [("W",), ("F",), ("F", "W")])
@pytest.mark.parametrize("missing", [[1], [4], [3, 4]])
def test_a_missing_slice_is_refused(contrasts: tuple[str, ...], missing: list[int]) -> None:
    intact = [c for c in ("F", "W") if c not in contrasts]
    holed = SCAN.files(contrasts, leave_out=missing)
    others = replace(SCAN, number=3).files(intact)
    assert code(holed, others) == "SLICE_MISSING"


def test_a_series_of_one_slice_is_refused() -> None:
    assert code(Scan(slices=1).files()) == "SLICE_MISSING"


@pytest.mark.parametrize(("contrast", "missing"), [("W", 0), ("W", 7), ("F", 0), ("F", 7)])
def test_a_slice_missing_at_an_end_crops_both_contrasts(contrast: str, missing: int) -> None:
    other = {"W": "F", "F": "W"}[contrast]
    (plan,), findings = plans_of(
        SCAN.files((contrast,), leave_out=[missing]), replace(SCAN, number=2).files((other,))
    )
    assert codes(findings) == ["ENDS_CROPPED"]
    expected = sorted(z for k, z in enumerate(SCAN.z_mm) if k != missing)
    assert z_of(plan) == z_of(plan, Contrast.FAT) == expected
    assert plan.affine[2, 3] == expected[0]


def test_rows_and_columns_missing_at_an_end_crop_both_contrasts() -> None:
    water = SCAN.files(("W",))
    fat = replace(SCAN, number=2, shape=(44, 37), first_mm=(-66.0, -94.0)).files(("F",))
    (plan,), findings = plans_of(water, fat)
    assert codes(findings) == ["ENDS_CROPPED"]
    rows, columns = plan.crops[Contrast.WATER].rows, plan.crops[Contrast.WATER].columns
    assert (rows, columns) == (slice(0, 44), slice(3, 40))
    assert (plan.crops[Contrast.FAT].rows, plan.crops[Contrast.FAT].columns) == (
        slice(0, 44),
        slice(0, 37),
    )
    assert plan.affine[:3, 3].tolist() == [-66, -94, -12]


def test_a_contrast_that_lacks_too_many_slices_is_refused() -> None:
    short = SCAN.files(("F",), leave_out=range(3))
    assert code(short, replace(SCAN, number=2).files(("W",))) == "POSITION_MISMATCH"


@pytest.mark.parametrize("shift", [(0, 0, 6), (0, 0, 3), (0, 4, 0), (4, 0, 0), (0, 0.1, 0)])
def test_water_and_fat_shifted_against_each_other_are_refused(shift: tuple[float, ...]) -> None:
    x, y, z = shift
    moved = replace(
        SCAN,
        number=2,
        top_mm=SCAN.top_mm + z,
        first_mm=(SCAN.first_mm[0] + x, SCAN.first_mm[1] + y),
    )
    assert code(SCAN.files(("W",)), moved.files(("F",))) == "POSITION_MISMATCH"


def test_water_and_fat_on_different_voxels_are_refused() -> None:
    coarse = replace(SCAN, number=2, pixel_mm=(4.0, 4.1))
    assert code(SCAN.files(("W",)), coarse.files(("F",))) == "POSITION_MISMATCH"


def test_repeated_slices_are_kept_for_comparison() -> None:
    twice = [f for f in SCAN.files() if f.name == "002_W_100000_003.dcm"]
    copy = [twice[0]._replace(name="copy.dcm")]
    (plan,), _ = plans_of(SCAN.files(), copy)
    assert z_of(plan) == sorted(SCAN.z_mm)
    assert [{a.entry.name, b.entry.name} for a, b in plan.twins] == [{"copy.dcm", twice[0].name}]


@pytest.mark.parametrize(
    "orientation",
    [
        [1, 0, 0, 0, 0, -1],
        [-1, 0, 0, 0, 1, 0],
        [-1, 0, 0, 0, -1, 0],
        [0, 1, 0, 1, 0, 0],
        [1, 0, 0, 0, 0.9962, 0.0872],
        [0.99, 0.14, 0, -0.14, 0.99, 0],
    ],
    ids=["coronal", "mirrored", "prone", "transposed", "tilted by 5 degrees", "turned"],
)
def test_orientations_that_are_not_axial_are_refused(orientation: list[float]) -> None:
    assert code(SCAN.files(change=setting(ImageOrientationPatient=orientation))) == "NOT_AXIAL"
    one = of_slice(5, ImageOrientationPatient=orientation)
    assert code(SCAN.files(change=one)) == "NOT_AXIAL"


def test_orientation_written_with_few_digits_is_axial() -> None:
    nearly = setting(ImageOrientationPatient=[1, -2.05e-10, 0, 2.05e-10, 0.99999, 4e-4])
    assert len(plans_of(SCAN.files(change=nearly))[0]) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (of_slice(2, PixelSpacing=["4", "4.2"]), "SLICES_UNEQUAL"),
        (of_slice(2, ImagePositionPatient=[-77, -94, 18]), "SLICES_UNEVEN"),
        (of_slice(2, ImagePositionPatient=[-78, -94, 19]), "SLICES_UNEVEN"),
        (setting(PixelSpacing=["0", "0"]), "GEOMETRY_UNREADABLE"),
        (setting(PixelSpacing=["-4", "4"]), "GEOMETRY_UNREADABLE"),
        (setting(PixelSpacing=["4", "400"]), "GEOMETRY_UNREADABLE"),
    ],
)
def test_uneven_geometry_is_refused(change: Change, expected: str) -> None:
    assert code(SCAN.files(change=change)) == expected


def test_a_slice_of_another_size_is_refused() -> None:
    odd = replace(SCAN, shape=(46, 40)).files()
    assert code(SCAN.files(leave_out=[4]), [f for f in odd if "004" in f.name]) == "SLICES_UNEQUAL"


@pytest.mark.parametrize("step", [0.1, 25.0])
def test_implausible_slice_distances_are_refused(step: float) -> None:
    assert code(replace(SCAN, step_mm=step).files()) == "GEOMETRY_UNREADABLE"


# ------------------------------------------------------------------ studies and contrasts


def test_a_source_without_dixon_images_is_refused() -> None:
    assert code() == "NO_DIXON"
    assert code(SCAN.files(("in", "opp"))) == "NO_DIXON"


@pytest.mark.parametrize("present", ["W", "F"])
def test_a_missing_contrast_is_refused(present: str) -> None:
    assert code(SCAN.files((present, "in"))) == "CONTRAST_MISSING"


def test_two_patients_and_two_studies_are_refused() -> None:
    assert code(SCAN.files(), BELOW.files(change=setting(PatientID="x"))) == "MIXED_PATIENTS"
    other = setting(StudyInstanceUID="2.25.8")
    assert code(SCAN.files(), BELOW.files(change=other)) == "MIXED_STUDIES"


def test_the_error_does_not_name_the_patient() -> None:
    with pytest.raises(MimirError) as raised:
        plans_of(SCAN.files(), BELOW.files(change=setting(PatientID="x")))
    assert "someone" not in str(raised.value)


@pytest.mark.parametrize("missing", ["W", "F"])
def test_a_station_without_one_contrast_is_refused(missing: str) -> None:
    rest = [c for c in ("F", "W") if c != missing]
    assert code(SCAN.files(), BELOW.files(rest)) == "STATION_INCOMPLETE"


@pytest.mark.parametrize("time", ["100000.4", "100010", "113000"])
def test_the_only_water_and_fat_of_a_place_belong_together_at_any_times(time: str) -> None:
    late = replace(SCAN, number=2, time=time)
    assert len(plans_of(SCAN.files(("W",)), late.files(("F",)))[0]) == 1


def test_water_and_fat_before_and_after_midnight_are_one_station() -> None:
    before = replace(SCAN, date="20200229", time="235959.9")
    after = replace(SCAN, date="20200301", time="000000.1", number=2)
    assert len(plans_of(before.files(("W",)), after.files(("F",)))[0]) == 1


# ------------------------------------------------------------------ repeated scans


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
    assert len(times_of(plan)) == 1


def test_a_later_scan_that_leaves_a_gap_is_not_chosen() -> None:
    moved = replace(SCAN, number=21, time="100500", top_mm=SCAN.top_mm + 18)
    (plan, _), findings = plans_of(SCAN.files(), moved.files(), BELOW.files())
    assert codes(findings) == ["STATION_RESCANNED"]
    assert numbers_of(plan) == [1, 2]


def normalised(dataset: Dataset, k: int) -> None:
    dataset.ImageType = [*dataset.ImageType, "NORM"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_study_reconstructed_twice_is_read_in_one_way_whenever_that_was(order: int) -> None:
    again = [replace(scan, number=scan.number + 20, time="113000") for scan in (SCAN, BELOW)]
    first = [*SCAN.files(change=normalised), *BELOW.files(change=normalised)]
    plans, findings = plans_of(*[first, [f for scan in again for f in scan.files()]][::order])
    assert codes(findings) == ["RECONSTRUCTION_CHOSEN"]
    assert [numbers_of(plan) for plan in plans] == [[1, 2], [11, 12]]


def test_water_and_fat_of_different_reconstructions_are_refused_for_that_reason() -> None:
    with pytest.raises(MimirError, match="normalised") as raised:
        plans_of(SCAN.files(("W",), normalised), SCAN.files(("F",)), BELOW.files())
    assert raised.value.code == "STATION_INCOMPLETE"


@pytest.mark.parametrize(
    ("agent", "is_one"),
    [
        *((text, False) for text in ("none", "No contrast", "kein KM", "not given", "n.a.", "0")),
        *((text, True) for text in ("Gadovist", "Novist", "nonionic", "Nativist", "YES", "10 ml")),
    ],
)
def test_a_contrast_agent_is_reported_unless_its_name_says_that_there_was_none(
    agent: str, is_one: bool
) -> None:
    _, findings = plans_of(SCAN.files(change=setting(ContrastBolusAgent=agent)))
    assert codes(findings) == ["CONTRAST_AGENT"] * is_one


def test_halves_that_were_scanned_again_do_not_replace_the_station() -> None:
    upper = replace(SCAN, slices=4, number=21, time="100500")
    lower = replace(SCAN, slices=4, number=24, time="100600", top_mm=SCAN.top_mm - 24)
    (plan, _), findings = plans_of(
        *(scan.files() for scan in (SCAN, upper, lower, BELOW)),
    )
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


# ------------------------------------------------------------------ signal scales


def scaled(
    water: dict[str, Any], fat: dict[str, Any], common: dict[str, Any] | None = None
) -> tuple[list[File], list[File]]:
    def change(attributes: dict[str, Any]) -> Change:
        def apply(dataset: Dataset, k: int) -> None:
            private = attributes.get("scale")
            setting(**{k: v for k, v in attributes.items() if k != "scale"})(dataset, k)
            if private is not None:
                dataset.add_new(0x20050010, "LO", "Philips MR Imaging DD 001")
                dataset.add_new(0x2005100E, "FL", private)

        return apply

    return (
        SCAN.files(("W",), change({**(common or {}), **water})),
        replace(SCAN, number=2).files(("F",), change({**(common or {}), **fat})),
    )


PHILIPS = {"Manufacturer": "Philips Medical Systems", "RescaleType": "normalized"}
NOBODY = {"Manufacturer": "", "RescaleType": "normalized"}


@pytest.mark.parametrize(
    ("water", "fat", "common"),
    [
        ({"RescaleSlope": "2"}, {"RescaleSlope": "2"}, {}),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, {}),  # both lead to the same unit
        ({"RescaleSlope": "1"}, {}, {}),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "2"}, PHILIPS),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "4", "scale": 0.25}, PHILIPS),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "3", "scale": 0.3}, PHILIPS),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "3", "scale": 0.3}, NOBODY),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "2"}, NOBODY),
    ],
)
def test_signals_in_one_unit_are_accepted(
    water: dict[str, Any], fat: dict[str, Any], common: dict[str, Any]
) -> None:
    assert len(plans_of(*scaled(water, fat, common))[0]) == 1


@pytest.mark.parametrize(
    ("water", "fat", "common"),
    [
        ({"RescaleType": "US"}, {"RescaleType": "normalized"}, {}),
        ({"RescaleIntercept": "0"}, {"RescaleIntercept": "100"}, {}),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, PHILIPS),
        ({"RescaleSlope": "2"}, {"RescaleSlope": "3"}, NOBODY),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "2"}, NOBODY),
        ({"RescaleSlope": "2", "scale": 0.5}, {"RescaleSlope": "2"}, PHILIPS),
    ],
)
def test_signals_in_different_units_are_refused(
    water: dict[str, Any], fat: dict[str, Any], common: dict[str, Any]
) -> None:
    assert code(*scaled(water, fat, common)) == "SCALE_MISMATCH"


def test_a_scale_that_changes_from_slice_to_slice_is_refused() -> None:
    changing = of_slice(3, RescaleType="other")
    files = SCAN.files(("W",), changing), replace(SCAN, number=2).files(("F",))
    assert code(*files) == "SCALE_MISMATCH"
