import json

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import ORIGIN, fused

from mimir_engine import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fused_folder import read_fused, write_fused
from MIMIRLib.scene.fused_mark import FusedMark, fused_pair, fused_volume_of
from MIMIRLib.scene.results import show_volumes
from MIMIRLib.scene.subject import Subject


@pytest.fixture
def scene():
    return slicer.vtkMRMLScene()


@pytest.fixture
def nodes(scene):
    return show_volumes(scene, "1.2.3", FusedVolumes(*fused()), ORIGIN, Subject())


def test_volumes_come_back_to_the_last_bit(nodes):
    water, fat, origin = fused_pair(nodes[0], nodes[1])
    for volume, known in zip((water, fat), fused()):
        np.testing.assert_array_equal(volume.array, known.array)
        np.testing.assert_array_equal(volume.affine, known.affine)
    assert origin == ORIGIN


def test_the_engine_takes_them_as_a_source(nodes, tmp_path):
    water, fat, origin = fused_pair(nodes[0], nodes[1])
    write_fused(tmp_path / "fused", origin, water, fat)
    study, volumes = read_fused(tmp_path / "fused")
    assert study.name == "1.2.3"
    np.testing.assert_array_equal(volumes.water.array, water.array)


def test_only_fused_volumes_have_a_mark(nodes):
    assert FusedMark.of(nodes[0]) == FusedMark.of(nodes[1])
    assert FusedMark.of(nodes[0]).study == ORIGIN
    assert FusedMark.of(nodes[2]) is None
    with pytest.raises(MimirError, match=r"NOT_FUSED_BY_MIMIR: 'Fat fraction - 1\.2\.3'") as error:
        fused_pair(nodes[2], nodes[1])
    assert error.value.remedy


def test_a_transform_makes_the_mark_void(scene, nodes):
    transform = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(transform)
    nodes[1].SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(MimirError, match="VOLUME_TRANSFORMED"):
        fused_pair(nodes[0], nodes[1])
    nodes[1].SetAndObserveTransformNodeID(None)
    fused_pair(nodes[0], nodes[1])


def test_a_moved_volume_makes_the_mark_void(nodes):
    nodes[0].SetOrigin(0, 0, 0)
    with pytest.raises(MimirError, match="VOLUME_TRANSFORMED"):
        fused_volume_of(nodes[0])


def test_a_cropped_volume_makes_the_mark_void(nodes):
    image = nodes[0].GetImageData()
    cropped = type(image)()
    cropped.SetDimensions(4, 5, 6)
    cropped.AllocateScalars(image.GetScalarType(), 1)
    nodes[0].SetAndObserveImageData(cropped)
    with pytest.raises(MimirError, match="VOLUME_TRANSFORMED"):
        fused_volume_of(nodes[0])


def test_a_node_without_image_makes_the_mark_void(nodes):
    nodes[0].SetAndObserveImageData(None)
    with pytest.raises(MimirError, match="VOLUME_TRANSFORMED"):
        fused_volume_of(nodes[0])


def test_water_and_fat_must_be_of_one_study_and_in_this_order(scene, nodes):
    other = show_volumes(
        scene, "1.2.4", FusedVolumes(*fused()), {**ORIGIN, "name": "1.2.4"}, Subject()
    )
    for pair in ((nodes[1], nodes[0]), (nodes[0], nodes[0]), (nodes[0], other[1])):
        with pytest.raises(MimirError, match="VOLUMES_DIFFER"):
            fused_pair(*pair)


def test_a_users_clone_can_be_measured(scene, nodes):
    clone = slicer.vtkMRMLScalarVolumeNode()
    scene.AddNode(clone)
    clone.CopyContent(nodes[0])
    water, _, _ = fused_pair(clone, nodes[1])
    np.testing.assert_array_equal(water.array, fused()[0].array)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", json.dumps({"origin": {}})])
def test_a_damaged_mark_is_ignored(nodes, text):
    nodes[0].SetAttribute("MIMIR.Origin", text)
    assert FusedMark.of(nodes[0]) is None
    with pytest.raises(MimirError, match="NOT_FUSED_BY_MIMIR"):
        fused_volume_of(nodes[0])
