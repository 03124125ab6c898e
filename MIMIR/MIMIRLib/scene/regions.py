"""Show the parts of the body as a segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import slicer

from MIMIRLib.scene.volumes import RAS_FROM_LPS, image_of, vtk_matrix

#: Colours of the parts, in their order: easy to tell apart, also for the colour-blind.
COLOURS = (
    (0.00, 0.45, 0.70),
    (0.90, 0.62, 0.00),
    (0.94, 0.89, 0.26),
    (0.80, 0.40, 0.00),
    (0.80, 0.60, 0.70),
    (0.00, 0.62, 0.45),
    (0.34, 0.71, 0.91),
)
#: Opacity of the parts over the images.
FILL_OPACITY = 0.3


def regions_node(volume: Any, names: Mapping[int, str], name: str) -> Any:
    """Return a segmentation with one segment per part that is in view; not in a scene yet.

    Args:
        volume: The engine's ``Volume`` of labels: uint8 ``[slice, row, column]``, 0 outside.
        names: Name of each part by its label.
        name: The node's name.
    """
    labels = slicer.vtkOrientedImageData()
    labels.ShallowCopy(image_of(volume.array))
    labels.SetImageToWorldMatrix(vtk_matrix(RAS_FROM_LPS @ volume.affine))
    node = slicer.vtkMRMLSegmentationNode()
    node.SetName(name)
    segmentation = node.GetSegmentation()
    kind = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    set_source = getattr(segmentation, "SetSourceRepresentationName", None)
    (set_source or segmentation.SetMasterRepresentationName)(kind)  # as Slicer 5.6 calls it
    for (label, part), colour in zip(names.items(), COLOURS):
        if (volume.array == label).any():
            segment = slicer.vtkSegment()
            segment.SetName(part)
            segment.SetColor(*colour)
            segment.SetLabelValue(label)
            segment.AddRepresentation(kind, labels)
            segmentation.AddSegment(segment)
    return node


def show_regions(scene: Any, node: Any) -> None:
    """Give a segmentation a display that is hidden at first."""
    display = slicer.vtkMRMLSegmentationDisplayNode()
    display.SetVisibility(False)
    display.SetOpacity2DFill(FILL_OPACITY)
    scene.AddNode(display)
    node.SetAndObserveDisplayNodeID(display.GetID())
