"""Show a study's volumes in the slice views: all of the body, in colours that are explained."""

from __future__ import annotations

from typing import Any

import slicer

from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.scene.node_marks import FRACTION, ROLE_MARK
from MIMIRLib.scene.results import StudyNodes
from MIMIRLib.scene.slice_layers import (
    CORONAL_VIEW,
    PROJECTION_VIEW,
    SAGITTAL_VIEW,
    show_layers,
)
from MIMIRLib.translate import tr as _

#: Orientation of each slice view of MIMIR's layouts.
ORIENTATIONS = {CORONAL_VIEW: "Coronal", SAGITTAL_VIEW: "Sagittal", PROJECTION_VIEW: "Axial"}
#: Space around what is shown, in shares of it.
MARGIN = 0.03
#: Pixels above and below the projection, for its labels and the texts in the corners.
ABOVE, BELOW = 64, 20
#: Values that the legend of the fat fraction names: 0, 25 … 100 %.
LEGEND_LABELS = 5
#: Place and size of the legend, in shares of the view: beside the legs. Sizes of its letters.
LEGEND_PLACE, LEGEND_SIZE = (0.98, 0.03), (0.1, 0.18)
TITLE_SIZE, LABEL_SIZE = 12, 11


def show_volumes(nodes: StudyNodes) -> None:
    """Let all slice views show a study's volumes; what it lacks is emptied."""
    show_layers(slicer.mrmlScene, nodes)
    if nodes.fraction is not None:
        add_legend(nodes.fraction)
    for legend in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"):
        volume = legend.GetDisplayableNode()
        if volume is not None and volume.GetAttribute(ROLE_MARK) == FRACTION:
            legend.SetVisibility(volume is nodes.fraction)


def add_legend(fraction: Any) -> None:
    """Explain the colours of a fat fraction; a legend that it has stays as it is."""
    logic = slicer.modules.colors.logic()
    if logic.GetColorLegendDisplayNode(fraction) is not None:
        return
    legend = logic.AddDefaultColorLegendDisplayNode(fraction)
    legend.SetTitleText(_("Fat fraction (%)"))
    legend.SetLabelFormat("%.0f")
    legend.SetNumberOfLabels(LEGEND_LABELS)
    legend.SetPosition(*LEGEND_PLACE)
    legend.SetSize(*LEGEND_SIZE)
    legend.GetTitleTextProperty().SetFontSize(TITLE_SIZE)
    legend.GetLabelTextProperty().SetFontSize(LABEL_SIZE)


def turn_upright(manager: Any) -> None:
    """Give the slice views of MIMIR's layouts their orientations again."""
    for tag, orientation in ORIENTATIONS.items():
        widget = manager.sliceWidget(tag)
        if widget is not None:
            widget.mrmlSliceNode().SetOrientation(orientation)


def fit(manager: Any) -> None:
    """Let each slice view show the whole volume, as large as it fits, through its middle."""
    for tag in manager.sliceViewNames():
        widget = manager.sliceWidget(tag)
        composite = widget.mrmlSliceCompositeNode()
        volume = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID() or "")
        if volume is not None:
            widget.sliceLogic().FitSliceToBackground()
            _fit(widget.mrmlSliceNode(), volume, tag == PROJECTION_VIEW)


def jump(nodes: StudyNodes, place: Place) -> None:
    """Let the slice views of the body show a place; without volumes nothing happens."""
    if nodes.water is None:
        return
    bounds = [0.0] * 6
    nodes.water.GetRASBounds(bounds)
    right, across = (bounds[0] + bounds[1]) / 2, bounds[1] - bounds[0]
    right += {"right": across / 4, "left": -across / 4}.get(place.side, 0.0)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if node.GetLayoutName() != PROJECTION_VIEW:
            node.JumpSlice(right, (bounds[2] + bounds[3]) / 2, place.z_mm)


def _fit(node: Any, volume: Any, is_projection: bool) -> None:
    """Set the field of view (mm) to a volume's size in a slice view."""
    columns, rows, _slices = node.GetDimensions()
    wide, high = _size_in_view(node, volume)
    above, below = (ABOVE, BELOW) if is_projection else (0, 0)
    free = max(rows - above - below, 1)
    mm_per_pixel = max(wide / max(columns, 1), high / free) * (1 + MARGIN)
    depth = node.GetFieldOfView()[2]
    node.SetFieldOfView(columns * mm_per_pixel, rows * mm_per_pixel, depth)
    origin = [*node.GetXYZOrigin()]
    node.SetXYZOrigin(origin[0], (above - below) / 2 * mm_per_pixel, origin[2])


def _size_in_view(node: Any, volume: Any) -> tuple[float, float]:
    """Return a volume's width and height in a slice view (mm)."""
    bounds, axes = [0.0] * 6, node.GetSliceToRAS()
    volume.GetRASBounds(bounds)
    sizes = [bounds[2 * axis + 1] - bounds[2 * axis] for axis in range(3)]

    def along(column: int) -> float:
        return sum(abs(axes.GetElement(row, column)) * sizes[row] for row in range(3))

    return along(0), along(1)
