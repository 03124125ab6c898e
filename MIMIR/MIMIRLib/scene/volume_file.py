"""Write volume nodes as files that the engine reads, at their place in the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk

from MIMIRLib.errors import mimir_error
from MIMIRLib.scene.volumes import array_of_image
from MIMIRLib.translate import tr as _


def write_volume(node: Any, path: Path) -> None:
    """Write a volume without compression; the node stays as it is.

    Slicer writes DICOM's axes (LPS) into NRRD files, so this is where its RAS ends.

    Args:
        node: A volume node. A linear transform that it lies under is applied in the file.
        path: The file, which ends in ``.nrrd``.

    Raises:
        MimirError: ``VOLUME_EMPTY``, ``VOLUME_TRANSFORMED``, ``OUTPUT_UNWRITABLE``.
    """
    if node.GetImageData() is None:
        raise mimir_error(
            "VOLUME_EMPTY",
            _("'{name}' has no voxels").format(name=node.GetName()),
            _("Choose another volume."),
        )
    write_image(node.GetImageData(), ijk_to_world(node), path)


def write_image(image: Any, ijk_to_ras: Any, path: Path) -> None:
    """Write vtkImageData whose first voxel has the index 0, without compression.

    Args:
        image: The voxels; they are not copied.
        ijk_to_ras: vtkMatrix4x4 from ``(column, row, slice)`` to RAS millimetres.
        path: The file, which ends in ``.nrrd``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(ijk_to_ras)
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.UseCompressionOff()
    storage.WriteData(node)
    if not _is_written(path, array_of_image(image).nbytes):
        raise mimir_error(
            "OUTPUT_UNWRITABLE",
            _("the file '{path}' cannot be written").format(path=path),
            _("Check that the disk has space and that you may write there."),
        )


def _is_written(path: Path, size: int) -> bool:
    """Return whether a file has all bytes; Slicer's writer does not say so."""
    return path.is_file() and path.stat().st_size > size


def ijk_to_world(node: Any) -> Any:
    """Return the vtkMatrix4x4 from a volume's indices to RAS, with its transforms.

    Raises:
        MimirError: ``VOLUME_TRANSFORMED`` if a transform is not linear.
    """
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    vtk.vtkMatrix4x4.Multiply4x4(to_world(node), matrix, matrix)
    return matrix


def to_world(node: Any) -> Any:
    """Return the vtkMatrix4x4 of the transforms that a node lies under; see ``ijk_to_world``."""
    matrix, transform = vtk.vtkMatrix4x4(), node.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        raise mimir_error(
            "VOLUME_TRANSFORMED",
            _("'{name}' is warped by a transform that is not linear").format(name=node.GetName()),
            _("Remove the transform, or harden it in the module Data."),
        )
    if transform is not None:
        transform.GetMatrixTransformToWorld(matrix)
    return matrix
