"""Show a study's fat in 3D, translucent, seen from the front."""

from __future__ import annotations

import math
from typing import Any

import slicer
import vtk

from MIMIRLib.scene.results import StudyNodes
from MIMIRLib.views.layouts import FAT_3D_VIEW

#: Opacity and colour of fat by its signal, in shares of the brightest that is shown in slices.
OPACITIES = ((0.0, 0.0), (0.15, 0.0), (0.4, 0.02), (0.7, 0.07), (1.0, 0.14))
COLOURS = (
    (0.0, (0.25, 0.1, 0.02)),
    (0.35, (0.85, 0.5, 0.15)),
    (0.7, (0.98, 0.82, 0.45)),
    (1.0, (1.0, 0.96, 0.85)),
)
#: Distance of the camera over that at which the body just fits.
CAMERA_MARGIN = 1.08


class FatIn3D:
    """The volume rendering of one study's fat.

    Attributes:
        is_on: Fat is shown, if the chosen result has volumes.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._fat: Any = None
        self._made: list[Any] = []

    @property
    def shown(self) -> list[Any]:
        """The fat that is shown, if it is still in the scene."""
        is_there = self._fat is not None and self._fat.GetScene() is slicer.mrmlScene
        return [self._fat] if is_there else []

    def follow(self, nodes: StudyNodes) -> None:
        """If it is on, show a study's fat in place of any other's; nothing without volumes."""
        if not self.is_on:
            return
        if nodes.fat is not None and self.shown == [nodes.fat]:
            return
        self._discard()
        if nodes.fat is None:
            return
        logic = slicer.modules.volumerendering.logic()
        display = logic.CreateDefaultVolumeRenderingNodes(nodes.fat)
        self._fat = nodes.fat
        self._made = [display, display.GetVolumePropertyNode()]
        for node in self._made:
            node.SetSaveWithScene(False)  # the check box is not saved, either
        _set_properties(display.GetVolumePropertyNode().GetVolumeProperty(), _top(nodes.fat))
        display.SetVisibility(True)

    def remove(self) -> None:
        """Show no fat in 3D any more."""
        self.is_on = False
        self._discard()

    def _discard(self) -> None:
        for node in self._made:
            if node.GetScene() is slicer.mrmlScene:
                slicer.mrmlScene.RemoveNode(node)
        self._fat, self._made = None, []

    def look(self, manager: Any) -> None:
        """Let MIMIR's 3D view show the whole body from the front, and nothing around it."""
        widgets = map(manager.threeDWidget, range(manager.threeDViewCount))
        for widget in [w for w in widgets if w.mrmlViewNode().GetLayoutName() == FAT_3D_VIEW]:
            widget.mrmlViewNode().SetBoxVisible(False)
            widget.mrmlViewNode().SetAxisLabelsVisible(False)
            for node in self.shown:
                bounds = [0.0] * 6
                node.GetRASBounds(bounds)
                _look(widget, bounds)


def _look(widget: Any, bounds: list[float]) -> None:
    camera = slicer.modules.cameras.logic().GetViewActiveCameraNode(widget.mrmlViewNode())
    if camera is None:
        return
    middle = [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]
    wide, deep, high = (bounds[2 * axis + 1] - bounds[2 * axis] for axis in range(3))
    view = widget.threeDView()
    shape = max(view.width, 1) / max(view.height, 1)
    half = max(high / 2, wide / 2 / shape)
    distance = half / math.tan(math.radians(camera.GetViewAngle() / 2)) * CAMERA_MARGIN
    camera.SetFocalPoint(*middle)
    camera.SetPosition(middle[0], middle[1] + distance + deep / 2, middle[2])
    camera.SetViewUp(0.0, 0.0, 1.0)
    camera.ResetClippingRange()


def _top(volume: Any) -> float:
    """Return the brightest value of a volume's display in slices."""
    display = volume.GetDisplayNode()
    return float(display.GetWindowLevelMax()) if display is not None else 1.0


def _set_properties(properties: Any, top: float) -> None:
    opacity, colour = vtk.vtkPiecewiseFunction(), vtk.vtkColorTransferFunction()
    for share, value in OPACITIES:
        opacity.AddPoint(share * top, value)
    for share, rgb in COLOURS:
        colour.AddRGBPoint(share * top, *rgb)
    properties.SetScalarOpacity(opacity)
    properties.SetColor(colour)
    properties.SetInterpolationTypeToLinear()
    properties.ShadeOn()
    properties.SetAmbient(0.3)
    properties.SetDiffuse(0.7)
    properties.SetSpecular(0.1)
