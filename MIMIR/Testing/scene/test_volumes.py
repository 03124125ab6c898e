import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import FIRST_VOXEL_MM, SPACING_MM, fused

from mimir_engine.study.volume import Volume, axial_affine
from MIMIRLib.scene.volumes import (
    INFERNO,
    array_of,
    fraction_node,
    lps_affine_of,
    show_fraction,
    show_in_grey,
    volume_node,
)


@pytest.fixture
def scene():
    return slicer.vtkMRMLScene()


def ras_of(node, column, row, slice_):
    from vtk import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix.MultiplyPoint((column, row, slice_, 1))[:3]


def test_a_bright_voxel_lies_in_ras_where_it_lay_in_the_patient():
    array = np.zeros((5, 6, 7), np.float32)
    array[3, 2, 1] = 9
    volume = Volume(array, axial_affine((-100.0, -50.0, -800.0), (2.0, 3.0, 4.0)))
    node = volume_node(volume, "marker")
    image = node.GetImageData()
    assert image.GetScalarComponentAsDouble(1, 2, 3, 0) == 9
    left, posterior, superior = -100 + 1 * 2, -50 + 2 * 3, -800 + 3 * 4
    assert ras_of(node, 1, 2, 3) == (-left, -posterior, superior)


def test_an_oblique_affine_is_turned_too():
    affine = axial_affine((1.0, 2.0, 3.0), (1.0, 1.0, 1.0))
    affine[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    node = volume_node(Volume(np.ones((2, 3, 4), np.float32), affine), "turned")
    x, y, z, _ = affine @ (3, 2, 1, 1)
    assert ras_of(node, 3, 2, 1) == pytest.approx((-x, -y, z), abs=1e-12)


def test_array_and_affine_come_back_to_the_last_bit():
    water, _ = fused()
    node = volume_node(water, "water")
    assert array_of(node).dtype == np.float32
    np.testing.assert_array_equal(array_of(node), water.array)
    np.testing.assert_array_equal(lps_affine_of(node), water.affine)
    assert node.GetSpacing() == SPACING_MM
    assert node.GetOrigin() == (-FIRST_VOXEL_MM[0], -FIRST_VOXEL_MM[1], FIRST_VOXEL_MM[2])


def test_the_node_has_a_copy_of_its_own():
    water, _ = fused()
    node = volume_node(water, "water")
    before = array_of(node).copy()
    water.array[:] = 0
    np.testing.assert_array_equal(array_of(node), before)


def test_read_only_arrays_on_disk_are_taken(tmp_path):
    water, _ = fused()
    np.save(tmp_path / "water.npy", water.array)
    mapped = np.load(tmp_path / "water.npy", mmap_mode="r")
    node = volume_node(Volume(mapped, water.affine), "water")
    np.testing.assert_array_equal(array_of(node), water.array)


def test_the_grey_window_fits_the_body_and_not_a_single_bright_voxel(scene):
    array = np.zeros((100, 100, 100), np.float32)
    array[10:90, 10:90, 10:90] = np.linspace(50, 100, 80, dtype=np.float32)
    array[15, 15, 15] = 1e6
    node = volume_node(Volume(array, np.eye(4)), "water")
    scene.AddNode(node)
    show_in_grey(scene, node)
    display = node.GetDisplayNode()
    assert not display.GetAutoWindowLevel()
    assert display.GetWindowLevelMin() == 0
    assert 90 < display.GetWindowLevelMax() <= 100


def test_an_empty_image_has_a_window_too(scene):
    node = volume_node(Volume(np.zeros((4, 5, 6), np.float32), np.eye(4)), "water")
    scene.AddNode(node)
    show_in_grey(scene, node)
    assert node.GetDisplayNode().GetWindow() == 1


def test_the_fat_fraction_says_that_it_is_one_in_percent(scene):
    node = fraction_node(fused()[0], "fat fraction")
    scene.AddNode(node)
    show_fraction(scene, node)
    quantity = node.GetVoxelValueQuantity()
    assert quantity.GetCodeValue() == "129100"
    assert quantity.GetCodingSchemeDesignator() == "DCM"
    assert quantity.GetCodeMeaning() == "Fat fraction"
    assert node.GetVoxelValueUnits().GetCodeValue() == "%"
    assert node.GetVoxelValueUnits().GetCodingSchemeDesignator() == "UCUM"
    display = node.GetDisplayNode()
    assert display.GetColorNodeID() == INFERNO
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 100)
