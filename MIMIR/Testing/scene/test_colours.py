import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer

from MIMIRLib.scene.colours import fraction_colours, ramp
from MIMIRLib.scene.transaction import Exchange


def lab(colours):
    """CIE L*a*b* of sRGB colours."""
    c = np.array(colours)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    xyz /= (0.95047, 1.0, 1.08883)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def test_equal_steps_of_fat_look_equal():
    steps = np.linalg.norm(np.diff(lab(list(ramp(256))), axis=0), axis=1)
    assert steps.max() < 1.2 * steps.min()


def test_more_fat_is_lighter_also_in_a_grey_print():
    lightness = lab(list(ramp(256)))[:, 0]
    assert lightness[0] == pytest.approx(0, abs=0.01)
    assert lightness[-1] == pytest.approx(95, abs=0.1)
    assert (np.diff(lightness) > 0).all()


def test_all_studies_of_a_scene_share_one_table():
    scene = slicer.vtkMRMLScene()
    with Exchange(scene) as first:
        node = fraction_colours(first)
        first.commit()
    with Exchange(scene) as second:
        assert fraction_colours(second) is node
    assert node.GetScene() is scene
    assert node.GetNumberOfColors() == 256


def test_the_users_table_of_the_same_name_is_left_alone():
    scene = slicer.vtkMRMLScene()
    users = slicer.vtkMRMLColorTableNode()
    users.SetName("MIMIR fat fraction")
    scene.AddNode(users)
    with Exchange(scene) as exchange:
        assert fraction_colours(exchange) is not users
