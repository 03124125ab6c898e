"""Slices of one series are ordered by position; uneven and incomplete ones are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import SCAN, code, plans_of, z_of
from changes import of_slice, setting
from dicom_builder import Change, Scan


def test_positions_and_not_instance_numbers_order_the_slices() -> None:
    (plan,), _ = plans_of(SCAN.files(change=setting(InstanceNumber=1)))
    assert z_of(plan) == sorted(z_of(plan))


@pytest.mark.parametrize("step", [6.2, 5.8])
def test_a_step_that_rounding_explains_is_even(step: float) -> None:
    nudged = of_slice(3, ImagePositionPatient=[-78, -94, SCAN.z_mm[2] - step])
    assert len(plans_of(SCAN.files(change=nudged))[0]) == 1


@pytest.mark.parametrize("contrasts", [("W",), ("F",), ("F", "W")])
@pytest.mark.parametrize("missing", [[1], [4], [3, 4]])
def test_a_missing_slice_is_refused(contrasts: tuple[str, ...], missing: list[int]) -> None:
    intact = [c for c in ("F", "W") if c not in contrasts]
    holed = SCAN.files(contrasts, leave_out=missing)
    others = replace(SCAN, number=3).files(intact)
    assert code(holed, others) == "SLICE_MISSING"


def test_a_series_of_one_slice_is_refused() -> None:
    assert code(Scan(slices=1).files()) == "SLICE_MISSING"


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
