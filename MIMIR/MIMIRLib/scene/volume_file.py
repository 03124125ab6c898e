"""Write volume nodes as files that the engine reads, at their place in the patient."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import vtk

from MIMIRLib.errors import mimir_error
from MIMIRLib.scene.volumes import RAS_FROM_LPS, array_of, numpy_matrix
from MIMIRLib.translate import tr as _

#: NRRD's names of the types that NumPy calls otherwise.
NRRD_TYPES = {"float32": "float", "float64": "double"}


def write_volume(node: Any, path: Path) -> None:
    """Write a volume as NRRD, with all digits and without compression; the node stays as it is.

    Args:
        node: A volume node. A linear transform that it lies under is applied in the file.
        path: The file.

    Raises:
        MimirError: ``VOLUME_EMPTY``, ``VOLUME_NOT_SCALAR``, ``VOLUME_TRANSFORMED``,
            ``OUTPUT_UNWRITABLE``.
    """
    if node.GetImageData() is None:
        raise mimir_error(
            "VOLUME_EMPTY",
            _("'{name}' has no voxels").format(name=node.GetName()),
            _("Choose another volume."),
        )
    array = array_of(node)
    if array.ndim != 3:
        raise mimir_error(
            "VOLUME_NOT_SCALAR",
            _("'{name}' has several values in each voxel, such as colours").format(
                name=node.GetName()
            ),
            _("Choose another volume."),
        )
    write_array(array, ijk_to_ras(node), path)


def write_array(array: np.ndarray, ras_affine: np.ndarray, path: Path) -> None:
    """Write voxels as an NRRD file in DICOM's axes (LPS): here Slicer's RAS ends.

    Slicer's own writer computes the steps between voxels anew, and so loses their last digits.

    Args:
        array: ``[slice, row, column]``, numbers.
        ras_affine: ``(4, 4)``: ``(column, row, slice, 1)`` to RAS millimetres.
        path: The file.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    affine = RAS_FROM_LPS @ ras_affine
    header = (
        "NRRD0005",
        f"type: {NRRD_TYPES.get(array.dtype.name, array.dtype.name)}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, array.shape[::-1]))}",
        f"space directions: {' '.join(map(_vector, affine[:3, :3].T))}",
        f"space origin: {_vector(affine[:3, 3])}",
        "kinds: domain domain domain",
        f"endian: {sys.byteorder}",
        "encoding: raw",
    )
    try:
        with open(path, "wb") as file:
            file.write("\n".join((*header, "", "")).encode("ascii"))
            np.ascontiguousarray(array).tofile(file)
    except OSError as error:
        raise mimir_error(
            "OUTPUT_UNWRITABLE",
            _("the file '{path}' cannot be written ({error})").format(
                path=path, error=error.strerror
            ),
            _("Check that the disk has space and that you may write there."),
        ) from error


def ijk_to_ras(node: Any) -> np.ndarray:
    """Return the affine of a volume, with the transforms that it lies under.

    Returns:
        ``(4, 4)``: ``(column, row, slice, 1)`` to RAS millimetres.

    Raises:
        MimirError: ``VOLUME_TRANSFORMED`` if a transform is not linear.
    """
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return transform_of(node) @ numpy_matrix(matrix)


def transform_of(node: Any) -> np.ndarray:
    """Return the transforms that a node lies under as one ``(4, 4)`` array; see `ijk_to_ras`."""
    matrix, transform = vtk.vtkMatrix4x4(), node.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        raise mimir_error(
            "VOLUME_TRANSFORMED",
            _("'{name}' is warped by a transform that is not linear").format(name=node.GetName()),
            _("Remove the transform, or harden it in the module Data."),
        )
    if transform is not None:
        transform.GetMatrixTransformToWorld(matrix)
    return numpy_matrix(matrix)


def _vector(values: np.ndarray) -> str:
    return f"({','.join(map(repr, values.tolist()))})"
