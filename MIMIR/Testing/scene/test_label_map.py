"""Segmentations of the scene as one label map: every voxel, every name, nothing lost in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer")

import slicer
import vtk
from scene_study import fused

from mimir_engine import MimirError
from MIMIRLib.scene.label_map import labels_of
from MIMIRLib.scene.volumes import RAS_FROM_LPS, image_of, volume_node, vtk_matrix

WATER, _FAT = fused()
SHAPE = WATER.array.shape


@pytest.fixture
def scene() -> Any:
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()  # it registers the conversions
    logic.SetMRMLScene(scene)
    return scene


def block(*places: slice, number: int = 1) -> np.ndarray:
    """A label map with one block of a label."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[places] = number
    return labels


def segmentation(scene: Any, parts: dict[str, np.ndarray]) -> Any:
    """A segmentation node whose segments each have a label map of their own."""
    kind = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    node = slicer.vtkMRMLSegmentationNode()
    node.SetName("organs")
    scene.AddNode(node)
    node.GetSegmentation().SetSourceRepresentationName(kind)
    for name, mask in parts.items():
        image = slicer.vtkOrientedImageData()
        image.ShallowCopy(image_of(mask))
        image.SetImageToWorldMatrix(vtk_matrix(RAS_FROM_LPS @ WATER.affine))
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetLabelValue(int(mask.max()) or 1)
        segment.AddRepresentation(kind, image)
        node.GetSegmentation().AddSegment(segment)
    return node


def imported(scene: Any, labels: np.ndarray) -> Any:
    """A segmentation node as Slicer makes it of a label map."""
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    assert logic.ImportLabelmapToSegmentationNode(label_map(scene, labels), node)
    return node


def label_map(scene: Any, labels: np.ndarray) -> Any:
    """A label map node on the grid of water."""
    volume = volume_node(WATER, "labels")
    node = slicer.vtkMRMLLabelMapVolumeNode()
    node.SetName("labels")
    node.CopyOrientation(volume)
    node.SetAndObserveImageData(image_of(labels))
    scene.AddNode(node)
    return node


def ras_of(labels: Any, number: int) -> np.ndarray:
    """RAS of all voxels of a label, sorted."""
    slices, rows, columns = np.nonzero(labels.array == number)
    places = labels.ras_affine @ np.stack([columns, rows, slices, np.ones_like(rows)])
    return places[:3]


def known_ras(mask: np.ndarray) -> np.ndarray:
    slices, rows, columns = np.nonzero(mask)
    places = RAS_FROM_LPS @ WATER.affine @ np.stack([columns, rows, slices, np.ones_like(rows)])
    return places[:3]


def test_segments_become_labels_with_their_names_at_their_places(scene: Any) -> None:
    liver = block(slice(5, 9), slice(3, 8), slice(20, 30), number=5)
    spleen = block(slice(12, 20), slice(3, 8), slice(2, 6), number=9)
    labels = labels_of(segmentation(scene, {"Liver": liver, "Spleen": spleen}))
    assert labels.array.dtype == np.uint16
    assert labels.names == {5: "Liver", 9: "Spleen"}
    for number, mask in ((5, liver), (9, spleen)):
        np.testing.assert_allclose(ras_of(labels, number), known_ras(mask), rtol=0, atol=1e-9)


def test_a_label_map_that_slicer_imports_comes_back(scene: Any) -> None:
    known = block(slice(5, 9), slice(3, 8), slice(20, 30), number=5).astype(np.uint16)
    known[12:14, 0:2, 0:3] = 300
    labels = labels_of(imported(scene, known))
    assert sorted(labels.names) == [5, 300]
    for number in (5, 300):
        np.testing.assert_allclose(
            ras_of(labels, number), known_ras(known == number), rtol=0, atol=1e-9
        )


def test_segments_with_the_same_number_are_numbered(scene: Any) -> None:
    parts = {"a": block(slice(0, 2)), "b": block(slice(4, 6)), "c": block(slice(8, 9))}
    labels = labels_of(segmentation(scene, parts))
    assert labels.names == {1: "a", 2: "b", 3: "c"}
    counts = np.bincount(labels.array.ravel())[1:]
    assert counts.tolist() == [int(mask.sum()) for mask in parts.values()]


def test_segments_that_share_voxels_are_refused(scene: Any) -> None:
    parts = {"liver": block(slice(0, 5)), "lesion": block(slice(4, 5), slice(0, 3), slice(0, 2))}
    with pytest.raises(
        MimirError, match=r"SEGMENTS_OVERLAP: the segments 'liver' and 'lesion'.*6 voxels"
    ) as error:
        labels_of(segmentation(scene, parts))
    assert error.value.remedy


def test_a_closed_surface_becomes_a_label_and_the_node_stays(scene: Any) -> None:
    sphere = vtk.vtkSphereSource()
    sphere.SetCenter(0, 0, -870)
    sphere.SetRadius(20)
    sphere.SetThetaResolution(40)
    sphere.SetPhiResolution(40)
    sphere.Update()
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    kind = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    node.GetSegmentation().SetSourceRepresentationName(kind)
    segment = slicer.vtkSegment()
    segment.SetName("sphere")
    segment.AddRepresentation(kind, sphere.GetOutput())
    node.GetSegmentation().AddSegment(segment)
    with pytest.raises(MimirError, match="SEGMENTATION_WITHOUT_GRID"):
        labels_of(node)
    converter = slicer.vtkSegmentationConverter
    grid = slicer.vtkOrientedImageData()
    grid.SetDimensions(*SHAPE[::-1])
    grid.SetImageToWorldMatrix(vtk_matrix(RAS_FROM_LPS @ WATER.affine))
    node.GetSegmentation().SetConversionParameter(
        converter.GetReferenceImageGeometryParameterName(),
        converter.SerializeImageGeometry(grid),
    )
    labels = labels_of(node)
    np.testing.assert_allclose(ras_of(labels, 1).mean(axis=1), (0, 0, -870), rtol=0, atol=0.5)
    assert segment.GetRepresentation("Binary labelmap") is None


def test_a_linear_transform_moves_the_labels(scene: Any) -> None:
    mask = block(slice(5, 9), slice(3, 8), slice(20, 30))
    node = segmentation(scene, {"liver": mask})
    transform = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(transform)
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 3, 15.0)
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
    expected = known_ras(mask) + np.array([[0], [0], [15.0]])
    np.testing.assert_allclose(ras_of(labels_of(node), 1), expected, rtol=0, atol=1e-9)


def test_a_label_map_node_keeps_its_numbers(scene: Any) -> None:
    known = block(slice(5, 9), number=5).astype(np.uint16)
    known[0, 0, 0] = 65_535
    labels = labels_of(label_map(scene, known))
    np.testing.assert_array_equal(labels.array, known)
    assert labels.names == {}


def test_only_a_colour_table_of_the_users_own_names_the_labels(scene: Any) -> None:
    node = label_map(scene, block(slice(5, 9), number=2))
    display = slicer.vtkMRMLLabelMapVolumeDisplayNode()
    scene.AddNode(display)
    node.SetAndObserveDisplayNodeID(display.GetID())
    for tag, names in (("", {2: "Liver"}), ("FileGenericColors.txt", {})):
        colours = slicer.vtkMRMLColorTableNode()
        colours.SetTypeToUser()
        colours.SetNumberOfColors(3)
        colours.SetColor(2, "Liver", 1, 0, 0, 1)
        colours.SetSingletonTag(tag or None)
        scene.AddNode(colours)
        display.SetAndObserveColorNodeID(colours.GetID())
        assert dict(labels_of(node).names) == names


def test_a_segmentation_without_voxels_is_refused(scene: Any) -> None:
    empty = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(empty)
    nodes = (empty, segmentation(scene, {"nothing": np.zeros(SHAPE, np.uint8)}))
    for node in (*nodes, label_map(scene, np.zeros(SHAPE, np.uint8))):
        with pytest.raises(MimirError, match="SEGMENTATION_EMPTY"):
            labels_of(node)
