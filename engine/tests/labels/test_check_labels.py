"""Label maps that are not of this scan are refused, and doubtful ones are flagged."""

from __future__ import annotations

import numpy as np
import pytest
from small_body import AFFINE, ORIGIN_MM, SHAPE, ball, small_body

from mimir_engine.errors import MimirError
from mimir_engine.fusion.grid import OUTPUT_SPACING_MM
from mimir_engine.labels import LabelMap, examine_labels
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import axial_affine

RIGHT_MM, LEFT_MM = (55.0, 66.0, 70.0), (125.0, 66.0, 70.0)


def two_balls() -> np.ndarray:
    """Label 1 on the patient's right, 2 on the left."""
    array = np.zeros(SHAPE, np.uint16)
    array[ball(RIGHT_MM, 20)] = 1
    array[ball(LEFT_MM, 20)] = 2
    return array


def findings(names: dict[int, str], array: np.ndarray | None = None) -> tuple[Finding, ...]:
    label_map = LabelMap(two_balls() if array is None else array, AFFINE, names)
    return examine_labels(label_map, small_body()).findings


def refusal(array: np.ndarray, affine: np.ndarray = AFFINE) -> MimirError:
    with pytest.raises(MimirError) as error:
        examine_labels(LabelMap(array, affine), small_body())
    return error.value


def moved(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    first_x, first_y, first_z = ORIGIN_MM
    return axial_affine((first_x + x, first_y + y, first_z + z), OUTPUT_SPACING_MM)


def test_a_map_of_the_scan_is_taken_without_findings() -> None:
    assert findings({1: "femur_right", 2: "femur_left"}) == ()


@pytest.mark.parametrize("affine", [moved(z=-100), moved(x=400), moved(y=1000), moved(z=500)])
def test_a_map_of_another_place_is_refused(affine: np.ndarray) -> None:
    assert refusal(two_balls(), affine).code == "LABELS_OUTSIDE"


def test_a_map_beside_the_body_is_refused() -> None:
    array = np.zeros(SHAPE, np.uint16)
    array[:, :6] = 1  # air before the belly
    error = refusal(array)
    assert error.code == "LABELS_OUTSIDE"
    assert "body" in error.what


def test_an_empty_map_is_refused() -> None:
    assert refusal(np.zeros(SHAPE, np.uint16)).code == "LABELS_INVALID"


def test_more_than_500_labels_are_refused() -> None:
    array = np.zeros(SHAPE, np.uint16)
    array[20:30, 25:35, 35:45] = 1 + np.arange(1000).reshape(10, 10, 10)
    assert refusal(array).code == "LABELS_INVALID"
    array[array > 500] = 0
    assert len(examine_labels(LabelMap(array, AFFINE), small_body()).values) == 500


def test_a_slice_that_would_fill_the_memory_is_refused() -> None:
    assert refusal(np.ones((1, 2001, 2000), np.uint16)).code == "VOLUME_TOO_LARGE"


@pytest.mark.parametrize(
    "names",
    [
        {1: "femur_left", 2: "femur_right"},
        {1: "Left femur", 2: "Right Femur"},
        {1: "femur_left"},
        {2: "right femur"},
    ],
)
def test_exchanged_sides_are_found(names: dict[int, str]) -> None:
    (finding,) = findings(names)
    assert (finding.code, finding.severity) == ("LABELS_SWAPPED", "warning")
    assert "femur" in finding.sentence


def test_a_mirrored_map_is_found() -> None:
    names = {1: "femur_right", 2: "femur_left"}
    assert [f.code for f in findings(names, two_balls()[:, :, ::-1])] == ["LABELS_SWAPPED"]


def test_sides_near_the_middle_are_not_judged_alone() -> None:
    array = np.zeros(SHAPE, np.uint16)
    array[ball((92.0, 66.0, 70.0), 15)] = 1
    assert findings({1: "heart_atrium_right"}, array) == ()


def test_names_without_a_side_or_with_both_are_not_judged() -> None:
    assert findings({1: "liver", 2: "left_right_border"}) == ()


@pytest.mark.parametrize("part", [0.5, 1.0, -0.5])
def test_a_map_beside_its_grid_is_found(part: float) -> None:
    affine = moved(x=part * OUTPUT_SPACING_MM[0])
    measured = examine_labels(LabelMap(two_balls(), affine), small_body())
    (finding,) = measured.findings
    assert finding.code == "LABELS_SHIFTED"
    assert finding.value == pytest.approx(abs(part))


def test_rounding_of_an_affine_is_no_shift() -> None:
    affine = moved(x=1e-3, z=-1e-3)
    assert examine_labels(LabelMap(two_balls(), affine), small_body()).findings == ()


def test_a_map_of_another_shape_may_lie_between_the_voxels() -> None:
    affine = moved(x=0.5 * OUTPUT_SPACING_MM[0])
    smaller = two_balls()[:, :, 1:]
    assert examine_labels(LabelMap(smaller, affine), small_body()).findings == ()
