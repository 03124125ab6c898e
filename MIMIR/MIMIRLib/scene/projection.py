"""The image that the networks saw, as a node."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from MIMIRLib.scene.volumes import image_of, vtk_matrix

PROJECTION_MARK = "MIMIR.Projection"
#: Height over width of a pixel, so that bodies have their proportions: in UK Biobank's protocol
#: the square image shows 363 slices of 3 mm over 224 columns and 152 rows of 2.23 mm.
PIXEL_HEIGHT = 1.3
#: White of an 8-bit picture.
WHITE = 255.0


def projection_node(projection: np.ndarray, kind: str, name: str) -> Any:
    """A picture of water, fat and fat fraction side by side; not in a scene yet.

    It lies in the axial plane through the origin and is upright in Slicer's axial view: the head
    on top, the patient's right on the left of each coronal half. It has no place in the patient.

    Args:
        projection: uint8 ``(3, rows, columns)``, row 0 at the head.
        kind: Which way of projecting made it.
        name: The node's name.
    """
    picture = np.concatenate(list(projection), axis=1)[np.newaxis]
    _, rows, columns = picture.shape
    left, top = (columns - 1) / 2, PIXEL_HEIGHT * (rows - 1) / 2
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetAttribute(PROJECTION_MARK, kind)
    node.SetDescription("What the networks saw: water, fat, fat fraction. Not in patient space.")
    # Slicer's axial view shows R on its left and A on top, so columns run to L and rows to P.
    affine = np.diag([-1.0, -PIXEL_HEIGHT, 1.0, 1.0])
    affine[:2, 3] = left, top
    node.SetIJKToRASMatrix(vtk_matrix(affine))
    node.SetAndObserveImageData(image_of(picture))
    return node
