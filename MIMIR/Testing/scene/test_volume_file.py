"""Volumes of the scene as files that any reader of NRRD puts at the same place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
import vtk
from scene_study import fused

from mimir_engine import MimirError
from MIMIRLib.scene.volume_file import write_volume
from MIMIRLib.scene.volumes import image_of, volume_node

nrrd = pytest.importorskip("nrrd")


@pytest.fixture
def scene() -> Any:
    return slicer.vtkMRMLScene()


def lps_of(header: Any, column: int, row: int, slice_: int) -> np.ndarray:
    """Where a file's header puts a voxel."""
    assert header["space"] == "left-posterior-superior"
    return header["space origin"] + np.array([column, row, slice_]) @ header["space directions"]


def moved(scene: Any, node: Any, rows: list[list[float]]) -> Any:
    """The node in the scene, under a linear transform."""
    transform = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(transform)
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.array(rows, np.float64).ravel().tolist())
    transform.SetMatrixTransformToParent(matrix)
    scene.AddNode(node)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return node


def test_voxels_and_place_come_back_in_patient_coordinates(tmp_path: Path) -> None:
    water, _fat = fused()
    write_volume(volume_node(water, "water"), tmp_path / "water.nrrd")
    array, header = nrrd.read(str(tmp_path / "water.nrrd"))
    assert header["encoding"] == "raw"
    np.testing.assert_array_equal(array.T, water.array)
    np.testing.assert_allclose(
        lps_of(header, 7, 5, 3), (water.affine @ (7, 5, 3, 1))[:3], rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float64])
def test_every_type_of_voxel_is_kept(tmp_path: Path, dtype: Any) -> None:
    known = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(dtype)
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetAndObserveImageData(image_of(known))
    write_volume(node, tmp_path / "any.nrrd")
    array, _header = nrrd.read(str(tmp_path / "any.nrrd"))
    assert array.dtype == dtype
    np.testing.assert_array_equal(array.T, known)


def test_a_linear_transform_is_applied_in_the_file_alone(scene: Any, tmp_path: Path) -> None:
    water, _fat = fused()
    turned = [[0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, -30], [0, 0, 0, 1]]
    node = moved(scene, volume_node(water, "water"), turned)
    write_volume(node, tmp_path / "water.nrrd")
    _array, header = nrrd.read(str(tmp_path / "water.nrrd"))
    left, posterior, superior, _one = water.affine @ (7, 5, 3, 1)
    ras = np.array(turned, np.float64) @ (-left, -posterior, superior, 1)
    np.testing.assert_allclose(lps_of(header, 7, 5, 3), ras[:3] * (-1, -1, 1), rtol=0, atol=1e-9)
    assert node.GetParentTransformNode() is not None


def test_a_warped_volume_is_refused(scene: Any, tmp_path: Path) -> None:
    warp = slicer.vtkMRMLBSplineTransformNode()
    scene.AddNode(warp)
    warp.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    node = volume_node(fused()[0], "water")
    scene.AddNode(node)
    node.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(MimirError, match="VOLUME_TRANSFORMED: 'water' is warped") as error:
        write_volume(node, tmp_path / "water.nrrd")
    assert error.value.remedy
    assert not list(tmp_path.iterdir())


def test_a_volume_without_voxels_is_refused(tmp_path: Path) -> None:
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName("empty")
    with pytest.raises(MimirError, match="VOLUME_EMPTY: 'empty' has no voxels"):
        write_volume(node, tmp_path / "water.nrrd")


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        write_volume(volume_node(fused()[0], "water"), tmp_path / "file" / "water.nrrd")
