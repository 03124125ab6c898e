"""The engine's volume files and Slicer's put the same voxel at the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from mimir_engine.fusion.volume_files.image_file import read_image, write_image
from mimir_engine.study.volume import Volume, axial_affine

VOLUME = Volume(
    np.arange(120, dtype=np.float32).reshape(4, 5, 6),
    axial_affine((-100.5, -60.25, -700.0), (2.25, 2.5, 3.0)),
)
ENDINGS = ("nrrd", "nii", "nii.gz")


@pytest.fixture
def scene() -> slicer.vtkMRMLScene:
    return slicer.vtkMRMLScene()


def nodes(scene: slicer.vtkMRMLScene, path: Path) -> tuple[object, object]:
    """Return a volume node and the node that reads and writes its file."""
    if path.name.endswith((".nii", ".nii.gz")):
        pytest.importorskip("nibabel")
    volume, storage = slicer.vtkMRMLScalarVolumeNode(), slicer.vtkMRMLVolumeArchetypeStorageNode()
    scene.AddNode(volume)
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    return volume, storage


@pytest.mark.parametrize("ending", ENDINGS)
def test_slicer_sees_each_voxel_of_the_engine_at_its_place(
    scene: slicer.vtkMRMLScene, ending: str, tmp_path: Path
) -> None:
    node, storage = nodes(scene, tmp_path / f"v.{ending}")
    write_image(tmp_path / f"v.{ending}", VOLUME)
    assert storage.ReadData(node)
    image = node.GetImageData()
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    assert voxels.dtype == np.float32
    matrix = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(matrix)
    for index in np.ndindex(VOLUME.array.shape):
        left, posterior, superior, _ = VOLUME.affine @ (*index[::-1], 1)
        i, j, k, _ = matrix.MultiplyPoint((-left, -posterior, superior, 1))
        assert (i, j, k) == pytest.approx((round(i), round(j), round(k)), abs=1e-4)
        assert voxels[round(k), round(j), round(i)] == VOLUME.array[index]


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (-1, 1, -1)])
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_engine_sees_each_voxel_of_slicer_at_its_place(
    scene: slicer.vtkMRMLScene, ending: str, signs: tuple[int, ...], tmp_path: Path
) -> None:
    node, storage = nodes(scene, tmp_path / f"v.{ending}")
    image = vtk.vtkImageData()
    image.SetDimensions(6, 5, 4)
    image.GetPointData().SetScalars(numpy_to_vtk(VOLUME.array.ravel(), deep=True))
    node.SetAndObserveImageData(image)
    ras = np.diag([*(s * mm for s, mm in zip(signs, (2.25, 2.5, 3.0))), 1.0])
    ras[:3, 3] = 30, 40, -500
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(ras.ravel())
    node.SetIJKToRASMatrix(matrix)
    assert storage.WriteData(node)
    read = read_image(tmp_path / f"v.{ending}")
    to_index = np.linalg.inv(ras)
    for index in np.ndindex(read.array.shape):
        left, posterior, superior, _ = read.affine @ (*index[::-1], 1)
        i, j, k, _ = np.rint(to_index @ (-left, -posterior, superior, 1)).astype(int)
        assert read.array[index] == VOLUME.array[k, j, i]
