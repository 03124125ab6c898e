"""Write in the corner of each view whose images it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from textwrap import wrap
from typing import Any

import slicer
import vtk

from MIMIRLib.scene.corner_text import LINE_LENGTH, CornerText, corner_text
from MIMIRLib.scene.slice_layers import PROJECTION_VIEW, visible_layers

#: Smallest and largest size of the letters (points): long texts in narrow views get smaller.
FONT_SIZES = 7, 12
#: Texts lie over the body in small windows.
BACKGROUND_OPACITY = 0.4
#: Width of a letter of the largest size (pixels).
LETTER_WIDTH = 7
TEXT_COLOUR, WARNING_COLOUR = (1.0, 1.0, 0.85), (1.0, 0.25, 0.2)


class CornerTexts:
    """The texts in all slice and 3D views; the texts of Slicer's own annotations stay.

    Args:
        manager: Slicer's layout manager.
        shown_in_3d: Returns the volumes that MIMIR shows in 3D.
    """

    def __init__(self, manager: Any, shown_in_3d: Callable[[], list[Any]]) -> None:
        self._manager, self._shown_in_3d = manager, shown_in_3d
        self._annotations: dict[str, tuple[Any, Any]] = {}

    @property
    def texts(self) -> dict[str, str]:
        """The text in each view, by the view's name."""
        corner = vtk.vtkCornerAnnotation.UpperLeft
        return {n: a.GetText(corner) or "" for n, (a, _view) in self._annotations.items()}

    def update(self) -> None:
        """Write what the views show now."""
        for name, view, text in self._views():
            if name not in self._annotations:
                self._annotations[name] = (_annotation(), view)
                _renderer(view).AddViewProp(self._annotations[name][0])
            annotation, _ = self._annotations[name]
            if (annotation.GetText(vtk.vtkCornerAnnotation.UpperLeft) or "") != text.text:
                annotation.SetText(vtk.vtkCornerAnnotation.UpperLeft, text.text)
                colour = WARNING_COLOUR if text.is_warning else TEXT_COLOUR
                annotation.GetTextProperty().SetColor(*colour)
                view.scheduleRender()

    def close(self) -> None:
        """Take the texts out of the views."""
        for annotation, view in self._annotations.values():
            _renderer(view).RemoveViewProp(annotation)
        self._annotations.clear()

    def _views(self) -> Iterator[tuple[str, Any, CornerText]]:
        scene = slicer.mrmlScene
        for tag in self._manager.sliceViewNames():
            widget = self._manager.sliceWidget(tag)
            layers = visible_layers(scene, widget.mrmlSliceCompositeNode())
            text = corner_text(scene, layers)
            view = widget.sliceView()
            if tag == PROJECTION_VIEW:
                text = _in_few_lines(text, max(int(view.width / LETTER_WIDTH), LINE_LENGTH))
            yield tag, view, text
        for number in range(self._manager.threeDViewCount):
            widget = self._manager.threeDWidget(number)
            name = f"3D {widget.mrmlViewNode().GetLayoutName()}"
            yield name, widget.threeDView(), corner_text(scene, self._shown_in_3d())


def _in_few_lines(text: CornerText, letters: int) -> CornerText:
    """Return a text for a view that is wide and low."""
    line = text.text.replace(",\n", "\n").replace("\n", ", ")
    return replace(text, text="\n".join(wrap(line, letters)))


def _annotation() -> Any:
    annotation = vtk.vtkCornerAnnotation()
    annotation.SetMinimumFontSize(FONT_SIZES[0])
    annotation.SetMaximumFontSize(FONT_SIZES[1])
    annotation.SetNonlinearFontScaleFactor(1)
    annotation.GetTextProperty().SetShadow(True)
    annotation.GetTextProperty().SetBackgroundColor(0.0, 0.0, 0.0)
    annotation.GetTextProperty().SetBackgroundOpacity(BACKGROUND_OPACITY)
    return annotation


def _renderer(view: Any) -> Any:
    return view.renderWindow().GetRenderers().GetFirstRenderer()
