"""Water and fat of a station are cropped to what both show; others are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assembly_builder import SCAN, code, codes, plans_of, z_of

from mimir_engine.study import Contrast


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
