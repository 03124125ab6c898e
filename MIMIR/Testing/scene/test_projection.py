import pytest

pytest.importorskip("slicer")

import numpy as np
from vtk import vtkMatrix4x4

from MIMIRLib.scene.volumes import PIXEL_HEIGHT, array_of, projection_node


def node_of(image):
    return projection_node(image, "mimir-2021", "study projection")


def test_water_fat_and_fraction_lie_side_by_side_as_8_bit():
    image = np.random.default_rng(2).integers(0, 256, (3, 256, 256), np.uint8)
    array = array_of(node_of(image))
    assert array.dtype == np.uint8
    assert array.shape == (1, 256, 768)
    for channel, columns in enumerate((slice(0, 256), slice(256, 512), slice(512, 768))):
        np.testing.assert_array_equal(array[0, :, columns], image[channel])


def test_it_is_upright_in_slicers_axial_view():
    node = node_of(np.zeros((3, 256, 256), np.uint8))
    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    top_left = matrix.MultiplyPoint((0, 0, 0, 1))
    bottom_right = matrix.MultiplyPoint((767, 255, 0, 1))
    # The axial view has the patient's right (+R) at its left and anterior (+A) on top.
    assert top_left[0] > 0 > bottom_right[0]
    assert top_left[1] > 0 > bottom_right[1]
    assert top_left[2] == bottom_right[2] == 0
    assert node.GetSpacing() == (1.0, PIXEL_HEIGHT, 1.0)


def test_it_says_how_it_was_projected_and_that_it_has_no_place_in_the_patient():
    node = node_of(np.zeros((3, 256, 256), np.uint8))
    assert node.GetAttribute("MIMIR.Projection") == "mimir-2021"
    assert "Not in patient space" in node.GetDescription()
