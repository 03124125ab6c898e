"""Name the channels of the projection, and the two views in each, in its slice view."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from MIMIRLib.scene.projection_places import label_places
from MIMIRLib.scene.slice_layers import PROJECTION_VIEW

#: Largest size of the letters (pixels), and widths of the letters over their size.
MAX_SIZE, LETTER_WIDTH = 13, 0.55
#: Pixels between the picture and its labels, and from one line of labels to the next.
GAP, LINE_HEIGHT = 3, 15
#: Smaller letters cannot be read: labels without space for these are left out.
MIN_SIZE = 8


class ProjectionLabels:
    """Texts above the projection; they follow its view's zoom.

    Args:
        manager: Slicer's layout manager.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._texts: list[Any] = []
        self._view: Any = None

    def slice_node(self) -> Any:
        """Return the node of the projection's view, which tells its zoom; None without one."""
        widget = self._manager.sliceWidget(PROJECTION_VIEW)
        return None if widget is None else widget.mrmlSliceNode()

    def update(self) -> None:
        """Write the labels where the projection is now."""
        widget = self._manager.sliceWidget(PROJECTION_VIEW)
        if widget is None:
            return
        if self._view is None:
            self._view = widget.sliceView()
        composite = widget.mrmlSliceCompositeNode()
        node = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID() or "")
        to_view = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(widget.mrmlSliceNode().GetXYToRAS(), to_view)
        places = label_places(node)
        while len(self._texts) < len(places):
            self._texts.append(_text_actor())
            _renderer(self._view).AddViewProp(self._texts[-1])
        for actor in self._texts[len(places) :]:
            actor.SetVisibility(False)
        for place, actor in zip(places, self._texts):
            x, y, _z, _one = to_view.MultiplyPoint((*place.ras, 1.0))
            wide = place.width_mm * abs(to_view.GetElement(0, 0))
            size = min(MAX_SIZE, int(wide / (LETTER_WIDTH * place.letters)))
            actor.SetVisibility(size >= MIN_SIZE)
            actor.SetInput(place.text)
            actor.GetTextProperty().SetFontSize(max(size, 1))
            actor.SetPosition(x, y + GAP + LINE_HEIGHT * place.line)
        self._view.scheduleRender()

    def close(self) -> None:
        """Take the labels out of the view."""
        for actor in self._texts:
            _renderer(self._view).RemoveViewProp(actor)
        self._texts.clear()


def _text_actor() -> Any:
    actor = vtk.vtkTextActor()
    actor.GetTextProperty().SetJustificationToCentered()
    actor.GetTextProperty().SetColor(0.85, 0.88, 0.92)
    return actor


def _renderer(view: Any) -> Any:
    return view.renderWindow().GetRenderers().GetFirstRenderer()
