"""Turn volumes into nodes and back; the only place where LPS meets RAS."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from MIMIRLib.translate import tr as _

#: From the engine's patient axes (DICOM's, LPS) to Slicer's (RAS); its own inverse.
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
#: Slicer's own colour tables, by node ID. In Inferno, lightness grows evenly from black to yellow.
GREY, INFERNO = "vtkMRMLColorTableNodeGrey", "vtkMRMLColorTableNodeFileInferno.txt"
#: Share of the values above zero that the window of a grey image shows without clipping.
WINDOW_QUANTILE = 0.995
#: The window is computed from every fifth voxel along each axis.
WINDOW_STEP = 5
#: DICOM's codes for the quantity of the fat-fraction image (PS3.16, CID 7180) and its unit (UCUM).
FAT_FRACTION_CODE = ("129100", "DCM", "Fat fraction")
PERCENT_CODE = ("%", "UCUM", "percent")
#: Attribute of a projection's node: the kind of projection.
PROJECTION_MARK = "MIMIR.Projection"
#: Height over width of a pixel, so that bodies have their proportions: in UK Biobank's protocol
#: the square image shows 363 slices of 3 mm over 224 columns and 152 rows of 2.23 mm.
PIXEL_HEIGHT = 1.3
#: White of an 8-bit picture.
WHITE = 255.0


def volume_node(volume: Any, name: str) -> Any:
    """Return a node, not in a scene yet, with a copy of a volume at its place in the patient.

    Args:
        volume: The engine's ``Volume``: float32 ``[slice, row, column]`` and its LPS affine.
        name: The node's name.
    """
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetIJKToRASMatrix(vtk_matrix(RAS_FROM_LPS @ volume.affine))
    node.SetAndObserveImageData(image_of(volume.array))
    return node


def fraction_node(volume: Any, name: str) -> Any:
    """Return a volume node with the quantity and unit of a fat fraction in percent."""
    node = volume_node(volume, name)
    node.SetVoxelValueQuantity(_coded(FAT_FRACTION_CODE))
    node.SetVoxelValueUnits(_coded(PERCENT_CODE))
    return node


def array_of(node: Any) -> np.ndarray:
    """Return the voxels of a node, ``[slice, row, column]``, without copying them."""
    return array_of_image(node.GetImageData())


def array_of_image(image: Any) -> np.ndarray:
    """Return the voxels of vtkImageData, ``[slice, row, column]``, without copying them."""
    columns, rows, slices = image.GetDimensions()
    scalars = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    return scalars.reshape(slices, rows, columns, *scalars.shape[1:])


def lps_affine_of(node: Any) -> np.ndarray:
    """Return a node's affine without parent transforms.

    Returns:
        ``(4, 4)``: ``(column, row, slice, 1)`` to LPS millimetres.
    """
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return RAS_FROM_LPS @ numpy_matrix(matrix)


def show_in_grey(scene: Any, node: Any, highest: Optional[float] = None) -> None:
    """Give a volume node a grey display from zero to a value.

    Args:
        scene: The scene.
        node: The node, in the scene.
        highest: The value shown white; by default nearly the brightest of the body.
    """
    _display(scene, node, GREY, 0.0, highest or _window_top(array_of(node)))


def show_fraction(scene: Any, node: Any) -> None:
    """Give the node of a fat fraction a display in colours, from 0 to 100 %."""
    _display(scene, node, INFERNO, 0.0, 100.0)


def image_of(array: np.ndarray) -> Any:
    """Return vtkImageData with a copy of an array ``[slice, row, column]``."""
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.AllocateScalars(numpy_support.get_vtk_array_type(array.dtype), 1)
    scalars = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    np.copyto(scalars.reshape(array.shape), array)
    return image


def vtk_matrix(affine: np.ndarray) -> Any:
    """Return a ``(4, 4)`` array as vtkMatrix4x4."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(affine.ravel().tolist())
    return matrix


def numpy_matrix(matrix: Any) -> np.ndarray:
    """Return vtkMatrix4x4 as a ``(4, 4)`` array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def _display(scene: Any, node: Any, colours: str, lowest: float, highest: float) -> None:
    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    # Before the image is set: else Slicer would read every voxel to compute a window of its own.
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(lowest, highest)
    display.SetAndObserveColorNodeID(colours)
    scene.AddNode(display)
    node.SetAndObserveDisplayNodeID(display.GetID())


def _window_top(array: np.ndarray) -> float:
    sample = array[::WINDOW_STEP, ::WINDOW_STEP, ::WINDOW_STEP]
    signal = sample[np.isfinite(sample) & (sample > 0)]
    return float(np.quantile(signal, WINDOW_QUANTILE)) if signal.size else 1.0


def _coded(code: tuple[str, str, str]) -> Any:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(*code)
    return entry


def projection_node(projection: np.ndarray, kind: str, name: str) -> Any:
    """Return a picture of water, fat and fat fraction side by side; not in a scene yet.

    It lies in the axial plane through the origin and is upright in Slicer's axial view: the head
    on top, the patient's right on the left of each coronal half. It is not in patient space.

    Args:
        projection: uint8 ``(3, rows, columns)``, row 0 at the head.
        kind: The kind of projection.
        name: The node's name.
    """
    picture = np.concatenate(list(projection), axis=1)[np.newaxis]
    rows, columns = picture.shape[1:]
    left, top = (columns - 1) / 2, PIXEL_HEIGHT * (rows - 1) / 2
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetAttribute(PROJECTION_MARK, kind)
    node.SetDescription(_("Input of the networks: water, fat, fat fraction. Not in patient space."))
    # Slicer's axial view shows R on its left and A on top, so columns run to L and rows to P.
    affine = np.diag([-1.0, -PIXEL_HEIGHT, 1.0, 1.0])
    affine[:2, 3] = left, top
    node.SetIJKToRASMatrix(vtk_matrix(affine))
    node.SetAndObserveImageData(image_of(picture))
    return node
