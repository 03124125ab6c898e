"""Labels of known size in a body of known fat fraction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_body import AFFINE, ORIGIN_MM, SHAPE, ball, percent, positions_mm, small_body

import mimir_engine
from mimir_engine.fusion import FusedVolumes
from mimir_engine.labels import LabelMap, LabelMeasurement, measure_labels
from mimir_engine.study.volume import Volume, axial_affine

RIGHT_MM, LEFT_MM = (60.0, 66.0, 70.0), (120.0, 66.0, 70.0)
VOXEL_L = 2.23214293**2 * 3 / 1e6
#: Rounding of float32 fractions, in percent.
ROUNDING = 1e-3


def two_balls() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint16)
    array[ball(RIGHT_MM, 20)] = 3
    array[ball(LEFT_MM, 25)] = 7
    return array


def measured(
    array: np.ndarray, fused: FusedVolumes | None = None, affine: np.ndarray = AFFINE
) -> dict[int, LabelMeasurement]:
    label_map = LabelMap(array.astype(np.uint16), affine)
    return {m.label: m for m in measure_labels(label_map, fused or small_body())}


def test_volume_and_voxels_are_exact() -> None:
    array = two_balls()
    found = measured(array)
    assert list(found) == [3, 7]
    for label, value in found.items():
        assert value.voxels == int((array == label).sum())
        assert value.volume_l == pytest.approx(value.voxels * VOXEL_L, rel=1e-12)


def test_mean_and_quartiles_are_those_of_the_voxels() -> None:
    array, fractions = two_balls(), percent(positions_mm())
    for label, value in measured(array).items():
        inside = fractions[array == label]
        q1, median, q3 = np.quantile(inside, (0.25, 0.5, 0.75))
        assert value.fat_fraction_percent == pytest.approx(inside.mean(), abs=ROUNDING)
        assert value.fat_fraction_median_percent == pytest.approx(median, abs=ROUNDING)
        assert value.fat_fraction_q1_percent == pytest.approx(q1, abs=ROUNDING)
        assert value.fat_fraction_q3_percent == pytest.approx(q3, abs=ROUNDING)


def test_erosion_takes_the_voxels_with_a_neighbour_outside() -> None:
    array, fractions = two_balls(), percent(positions_mm())
    array[ball((66.0, 66.0, 70.0), 6)] = 9  # another label within a label is outside of it
    for label, value in measured(array).items():
        core = array == label
        for axis in range(3):
            for step in (-1, 1):
                core &= np.roll(array, step, axis) == label
        assert value.core_voxels == int(core.sum())
        assert value.core_fat_fraction_percent == pytest.approx(
            fractions[core].mean(), abs=ROUNDING
        )


def test_a_label_that_vanishes_has_no_core_and_says_why() -> None:
    array = two_balls()
    array[5, 30, 40:50] = 4
    value = measured(array)[4]
    assert (value.voxels, value.core_voxels) == (10, 0)
    assert value.fat_fraction_percent is not None
    assert value.core_fat_fraction_percent is value.core_fat_fraction_q1_percent is None
    assert "erosion" in value.reason


def test_voxels_of_air_do_not_count_in_fat_fractions() -> None:
    fused, array = small_body(), two_balls()
    for volume in (fused.water, fused.fat):
        volume.array[ball(LEFT_MM, 15)] = 0
    kept = (array == 7) & ~ball(LEFT_MM, 15)
    value = measured(array, fused)[7]
    assert value.air_share == pytest.approx(1 - kept.sum() / value.voxels)
    expected = percent(positions_mm())[kept].mean()
    assert value.fat_fraction_percent == pytest.approx(expected, abs=ROUNDING)


def test_a_label_of_air_alone_has_a_volume_and_no_fat_fraction() -> None:
    fused, array = small_body(), two_balls()
    for volume in (fused.water, fused.fat):
        volume.array[ball(RIGHT_MM, 22)] = 0
    value = measured(array, fused)[3]
    assert value.volume_l > 0
    assert value.air_share == 1
    assert value.fat_fraction_percent is None
    assert "signal" in value.reason


def test_pure_water_is_not_air() -> None:
    fused = small_body()
    water = fused.water.array + fused.fat.array
    pure = FusedVolumes(Volume(water, AFFINE), Volume(np.zeros_like(water), AFFINE))
    value = measured(two_balls(), pure)[3]
    assert (value.air_share, value.fat_fraction_percent) == (0.0, 0.0)


def test_only_labels_at_the_edge_of_the_view_have_a_share_there() -> None:
    array = two_balls()
    array[:10, 25:35, 35:45] = 5
    found = measured(array)
    assert found[3].edge_share == found[7].edge_share == 0
    assert found[5].edge_share == pytest.approx(1 / 10), "one of its ten slices is the first"


def test_voxels_beyond_the_volumes_count_as_cut_and_in_the_volume() -> None:
    array = two_balls()
    array[:10, 25:35, 35:45] = 5
    larger = np.zeros((SHAPE[0] + 4, *SHAPE[1:]), np.uint16)
    larger[4:] = array
    larger[:4, 25:35, 35:45] = 5
    affine = axial_affine((*ORIGIN_MM[:2], ORIGIN_MM[2] - 12), (2.23214293, 2.23214293, 3.0))
    value = measured(larger, affine=affine)[5]
    assert value.voxels == 1400
    assert value.edge_share == pytest.approx(500 / 1400)
    assert value.air_share == pytest.approx(400 / 1400)


@pytest.mark.parametrize("spacing", [(1.0, 1.5, 2.0), (4.0, 3.0, 6.0), (2.0, 2.0, 3.0)])
def test_another_grid_keeps_volume_and_fat_fraction(spacing: tuple[float, float, float]) -> None:
    extent = [(n - 1) * s for n, s in zip(SHAPE[::-1], (2.23214293, 2.23214293, 3.0))]
    shape = tuple(int(mm / step) for mm, step in zip(extent, spacing))[::-1]
    affine = axial_affine([first + 1.3 for first in ORIGIN_MM], spacing)
    array = np.where(ball(LEFT_MM, 25, affine, shape), 7, 0)
    value = measured(array, affine=affine)[7]
    assert value.voxels == int(array.astype(bool).sum())
    assert value.volume_l == pytest.approx(value.voxels * np.prod(spacing) / 1e6, rel=1e-12)
    expected = percent(positions_mm(affine, shape))[array == 7].mean()
    slope = 0.2  # 1.3 mm to the nearest slice: the fat fraction rises by 0.1 percent per mm
    assert value.fat_fraction_percent == pytest.approx(expected, abs=slope)
    core = value.core_fat_fraction_percent
    assert core == pytest.approx(measured(two_balls())[7].core_fat_fraction_percent, abs=0.2)


def test_a_finer_grid_is_eroded_by_a_voxel_of_the_images() -> None:
    affine = axial_affine(ORIGIN_MM, (2.23214293 / 2, 2.23214293, 1.0))
    array = np.zeros((SHAPE[0] * 3, SHAPE[1], SHAPE[2] * 2), np.uint16)
    array[30:60, 20:40, 60:100] = 1
    assert measured(array, affine=affine)[1].core_voxels == (30 - 6) * (20 - 2) * (40 - 4)


def test_half_a_voxel_of_shift_changes_no_volume_and_little_of_the_fat_fraction() -> None:
    array = two_balls()
    for shift in (-0.5, 0.5):
        affine = AFFINE.copy()
        affine[:3, 3] += shift * np.diag(AFFINE)[:3]
        for label, value in measured(array, affine=affine).items():
            same = measured(array)[label]
            assert value.volume_l == same.volume_l
            core, other = value.core_fat_fraction_percent, same.core_fat_fraction_percent
            assert core == pytest.approx(other, abs=1.2), "the slope is 1.2 percent per voxel"


def test_numbers_do_not_depend_on_the_processor_s_order_of_sums() -> None:
    """The sum of fractions is exact, so parts of a label add up to the whole."""
    array = two_balls()
    whole = measured(array)[7]
    array[(array == 7) & (np.indices(SHAPE)[0] % 2 == 0)] = 8
    parts = [measured(array)[label] for label in (7, 8)]
    total = sum(part.voxels * (part.fat_fraction_percent or 0) for part in parts)
    assert total / whole.voxels == pytest.approx(whole.fat_fraction_percent, rel=1e-13)


def test_seams_are_unknown_without_stations() -> None:
    assert measured(two_balls())[3].seams is None


def test_it_is_part_of_the_public_interface() -> None:
    assert mimir_engine.measure_labels is measure_labels


def test_a_label_map_is_axial_and_unsigned() -> None:
    array = two_balls()
    oblique = AFFINE.copy()
    oblique[0, 1] = 0.1
    with pytest.raises(ValueError, match="axial"):
        LabelMap(array, oblique)
    with pytest.raises(ValueError, match="uint16"):
        LabelMap(array.astype(np.int32), AFFINE)
    with pytest.raises(ValueError, match="axial"):
        LabelMap(array, np.diag([-1.0, 1, 1, 1]))


def test_names_are_kept_as_given_and_as_columns() -> None:
    label_map = LabelMap(two_balls(), AFFINE, {3: "Kidney (right)"})
    right, left = measure_labels(label_map, small_body())
    assert (right.name, right.title) == ("kidney_right", "Kidney (right)")
    assert (left.name, left.title) == ("label_7", "label_7")
    assert replace(right, name="", title="") == replace(measured(two_balls())[3], name="", title="")
