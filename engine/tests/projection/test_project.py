"""Volumes are projected to the image that the networks see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_builder import all_files, complete_study, write_zip
from station_builder import stations_of

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.grid import OUTPUT_SPACING_MM
from mimir_engine.headers.contrast import Contrast
from mimir_engine.projection.project import (
    BED_ROWS,
    IMAGE_SIZE,
    PROJECTION_NAME,
    Projection,
    fat_fraction,
    liver_planes,
    look_through,
    otsu_thresholds,
    project,
    resize,
    shade,
    stretch,
    views,
)
from mimir_engine.study import read_study
from mimir_engine.study.read_options import ReadOptions
from mimir_engine.study.volume import Volume, axial_affine

GOLDEN = Path(__file__).parents[1] / "data" / "small_golden.npz"


def volumes(water: np.ndarray, fat: np.ndarray) -> FusedVolumes:
    affine = axial_affine((0, 0, 0), OUTPUT_SPACING_MM)
    return FusedVolumes(
        Volume(water.astype(np.float32), affine), Volume(fat.astype(np.float32), affine)
    )


def trunk(slices: int = 60, rows: int = 70, columns: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Return water and fat of an elliptic trunk in air."""
    z, y, x = np.indices((slices, rows, columns))
    inside = ((y - 24) / 20) ** 2 + ((x - columns / 2) / 18) ** 2 < 1
    water = np.where(inside, 300.0 + z, 3.0)
    fat = np.where(inside, 100.0 + y, 2.0)
    return water, fat


def code(fused: FusedVolumes) -> str:
    with pytest.raises(MimirError) as raised:
        project(fused)
    return raised.value.code


# ------------------------------------------------------------------ complete image


def test_the_image_of_a_small_study_equals_the_stored_one(tmp_path: Path) -> None:
    """The tolerance is that of the parity kit: rounding may change some grey levels by one."""
    study = read_study(write_zip(tmp_path / "study.zip", all_files(complete_study())))
    image = project(fuse(study.stations)).image
    with np.load(GOLDEN) as archive:
        golden = archive["image"]
    difference = image.astype(int) - golden
    assert (difference == 0).mean() >= 0.994
    assert abs(difference).max() <= 1
    assert abs(difference.mean(axis=(1, 2))).max() <= 0.02


@pytest.fixture(scope="module")
def fused_study(tmp_path_factory: pytest.TempPathFactory) -> FusedVolumes:
    path = tmp_path_factory.mktemp("study") / "study.zip"
    return fuse(read_study(write_zip(path, all_files(complete_study()))).stations)


def body_count(fused: FusedVolumes) -> np.ndarray:
    return look_through(fused, fused.water.array.shape[1] - BED_ROWS)[2]


def planes_of(fused: FusedVolumes) -> tuple[int, int]:
    count = body_count(fused)
    return liver_planes(count.sum(axis=1), count.sum(axis=0))


def otsu_threshold(plane: np.ndarray) -> float:
    return float(otsu_thresholds(plane.reshape(1, -1))[0])


def fraction_channel(fused: FusedVolumes, scaled: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    row, column = planes_of(fused)
    rows = fused.water.array.shape[1] - BED_ROWS
    water, fat = Contrast.WATER, Contrast.FAT
    coronal = fat_fraction(scaled(fused.plane(water, row=row)), fused.plane(fat, row=row))
    across = [fused.plane(contrast, column=column)[:, :rows] for contrast in (water, fat)]
    sagittal = fat_fraction(scaled(across[0]), across[1])
    return resize(np.concatenate([shade(coronal), shade(sagittal)], axis=1))


def test_without_a_site_the_image_is_the_same_bit_by_bit(fused_study: FusedVolumes) -> None:
    image = project(fused_study, ReadOptions().water_factor).image
    assert (image == project(fused_study).image).all()
    assert (image[2] == fraction_channel(fused_study, lambda water: water)).all()


def test_a_water_factor_scales_the_water_of_the_fat_fraction_alone(
    fused_study: FusedVolumes,
) -> None:
    usual, scaled = project(fused_study).image, project(fused_study, 1.25).image
    assert (scaled[:2] == usual[:2]).all(), "sums of water and fat stay"
    assert (scaled[2] == fraction_channel(fused_study, lambda water: 1.25 * water)).all()
    assert (scaled[2] <= usual[2]).all()
    assert (scaled[2] < usual[2]).mean() > 0.1


def test_a_projection_has_three_square_8_bit_channels() -> None:
    projection = project(volumes(*trunk()))
    assert isinstance(projection, Projection)
    assert projection.image.shape == (3, IMAGE_SIZE, IMAGE_SIZE)
    assert projection.image.dtype == np.uint8
    assert projection.name == PROJECTION_NAME == "mimir-2021"


@pytest.mark.parametrize("contrast", [0, 1])
def test_the_head_is_at_the_top_and_right_and_anterior_are_at_the_left(contrast: int) -> None:
    water, fat = trunk()
    bright = (water, fat)[contrast]
    bright[-6:, 8:12, 8:12] = 9000  # head end, in front, at the patient's right
    image = project(volumes(water, fat)).image[contrast]
    row, column = np.unravel_index(image[:, :128].argmax(), (IMAGE_SIZE, 128))
    assert row < IMAGE_SIZE / 4
    assert column < 64
    sagittal = image[:, 150:]
    row, column = np.unravel_index(sagittal.argmax(), sagittal.shape)
    assert row < IMAGE_SIZE / 4
    assert column < 40


def test_coronal_and_sagittal_views_are_scaled_independently() -> None:
    image = project(volumes(*trunk(columns=96))).image
    split = round(IMAGE_SIZE * 96 / (96 + 70 - BED_ROWS))
    for channel in image[:2]:
        assert channel[:, : split - 1].max() == channel[:, split + 1 :].max() == 255
        assert channel[:, : split - 1].min() == channel[:, split + 1 :].min() == 0


def test_the_table_is_cropped() -> None:
    water, fat = trunk()
    image = project(volumes(water, fat)).image
    water[:, -BED_ROWS:], fat[:, -BED_ROWS:] = 50, 70
    np.testing.assert_array_equal(project(volumes(water, fat)).image[:2], image[:2])


def test_volumes_without_stations_are_projected() -> None:
    """Fused volumes that were read from files have no stations."""
    fused = fuse(stations_of(complete_study()))
    again = FusedVolumes(fused.water, fused.fat)
    difference = project(fused).image.astype(int) - project(again).image
    np.testing.assert_array_equal(difference[:2], 0)
    assert (difference[2] != 0).mean() < 0.02
    assert abs(difference).max() <= 1


def test_the_volumes_are_not_changed() -> None:
    fused = volumes(*trunk())
    before = fused.water.array.copy()
    project(fused)
    np.testing.assert_array_equal(fused.water.array, before)


# ------------------------------------------------------------------ views


def test_views_are_sums_along_the_line_of_sight() -> None:
    water, fat = trunk()
    water_views, fat_views, fractions = views(volumes(water, fat))
    kept = water[::-1, :-BED_ROWS]
    np.testing.assert_allclose(water_views.coronal, kept.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(water_views.sagittal, kept.sum(axis=2), rtol=1e-6)
    np.testing.assert_allclose(fat_views.coronal, fat[::-1, :-BED_ROWS].sum(axis=1), rtol=1e-6)
    assert fractions.coronal.shape == water_views.coronal.shape
    assert fractions.sagittal.shape == water_views.sagittal.shape


def test_the_fat_fraction_is_that_of_one_plane() -> None:
    water, fat = trunk()
    fused = volumes(water, fat)
    row, column = planes_of(fused)
    fractions = views(fused)[2]
    np.testing.assert_allclose(
        fractions.coronal, (1000 * fat / (water + fat))[::-1, row], rtol=1e-6
    )
    np.testing.assert_allclose(
        fractions.sagittal, (1000 * fat / (water + fat))[::-1, :-BED_ROWS, column], rtol=1e-6
    )


def test_the_planes_halve_the_body_and_its_right_half() -> None:
    rows, columns = np.zeros(60), np.zeros(40)
    rows[10:30], columns[4:36] = 1, 1
    assert liver_planes(rows, columns) == (20, 12)
    assert liver_planes(np.zeros(60), np.zeros(40)) == (0, 0)


def test_body_voxels_are_counted_without_the_table() -> None:
    water, fat = trunk()
    body = water[:, :-BED_ROWS] > 100
    np.testing.assert_array_equal(body_count(volumes(water, fat)), body.sum(axis=0))


def test_otsu_separates_two_distributions() -> None:
    rng = np.random.default_rng(3)
    plane = np.concatenate([rng.normal(10, 2, 900), rng.normal(100, 5, 300)]).astype(np.float32)
    assert plane[:900].max() - 0.5 < otsu_threshold(plane) < plane[900:].min()
    assert otsu_threshold(1e6 * plane) == pytest.approx(1e6 * otsu_threshold(plane), rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0])
def test_otsu_of_a_constant_plane_is_its_value(value: float) -> None:
    assert otsu_threshold(np.full((5, 5), value, np.float32)) == value


def test_otsu_of_a_tiny_range_is_finite() -> None:
    assert np.isfinite(otsu_threshold(np.array([0, 1e-44], np.float32)))


# ------------------------------------------------------------------ grey levels


def test_a_view_is_scaled_from_its_minimum_to_its_maximum() -> None:
    assert stretch(np.array([[5.0, 6.0, 7.0, 9.0]])).tolist() == [[0, 63, 127, 255]]


def test_fat_fractions_up_to_one_half_are_shown() -> None:
    per_mille = np.array([-5.0, 0.0, 1.0, 250.0, 500.0, 900.0])
    assert shade(per_mille).tolist() == [0, 0, 0, 127, 255, 255]


def test_without_signal_the_fat_fraction_is_zero() -> None:
    water, fat = np.array([0.0, 3.0, 0.0]), np.array([0.0, 1.0, 2.0])
    assert fat_fraction(water, fat).tolist() == [0.0, 250.0, 1000.0]
    assert water.tolist() == [0.0, 3.0, 0.0]


@pytest.mark.parametrize("shape", [(10, 10), (256, 256), (362, 376), (700, 500), (1, 1)])
@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_constant_image_stays_constant_at_any_size(shape: tuple[int, int], value: int) -> None:
    resized = resize(np.full(shape, value, np.uint8))
    assert resized.shape == (IMAGE_SIZE, IMAGE_SIZE)
    assert np.unique(resized).tolist() == [value]


def test_an_image_of_the_right_size_is_not_changed() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    np.testing.assert_array_equal(resize(picture), picture)


def test_resizing_is_bilinear_within_one_grey_level() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (361, 377), np.uint8)
    y, x = (np.clip((np.arange(256) + 0.5) * n / 256 - 0.5, 0, n - 1) for n in picture.shape)
    rows, columns = np.arange(361), np.arange(377)
    wide = np.stack([np.interp(x, columns, line) for line in picture.astype(float)])
    exact = np.stack([np.interp(y, rows, line) for line in wide.T]).T
    assert abs(resize(picture) - exact).max() <= 1


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize("empty", ["water", "fat"])
def test_an_empty_contrast_is_refused(empty: str) -> None:
    water, fat = trunk()
    (water if empty == "water" else fat)[:] = 0
    with pytest.raises(MimirError, match=f"EMPTY_IMAGE: the {empty} image"):
        project(volumes(water, fat))


def test_a_constant_contrast_is_refused() -> None:
    water, fat = trunk()
    assert code(volumes(np.ones_like(water), fat)) == "EMPTY_IMAGE"
    rounding = np.random.default_rng(1).integers(-2, 3, water.shape).astype(np.float32)
    assert code(volumes(0.1 + 1e-8 * rounding, fat)) == "EMPTY_IMAGE"


@pytest.mark.parametrize("rows", [1, BED_ROWS])
def test_volumes_with_no_row_in_front_of_the_table_are_refused(rows: int) -> None:
    assert code(volumes(*(np.ones((30, rows, 40)) for _ in range(2)))) == "STATION_LAYOUT"
