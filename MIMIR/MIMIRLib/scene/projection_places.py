"""Where the labels above a projection are: its channels, and the two halves of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import vtk

from MIMIRLib.scene.volumes import PROJECTION_MARK
from MIMIRLib.translate import tr as _

#: The channels from left to right, and the halves of each.
CHANNELS = (_("water"), _("fat"), _("fat fraction"))
HALVES = (_("coronal"), _("sagittal"))


@dataclass(frozen=True)
class LabelPlace:
    """A label of the projection.

    Attributes:
        text: The label.
        ras: Place on the upper edge of the picture that it stands above (mm).
        width_mm: Width of what it names.
        line: Its line, 0 for the one next to the picture.
        letters: Letters of the longest label in its row: all have one size.
    """

    text: str
    ras: tuple[float, float, float]
    width_mm: float
    line: int
    letters: int


def label_places(projection: Any) -> list[LabelPlace]:
    """Return the labels of a projection's node; none for other nodes and for None."""
    if projection is None or not projection.GetAttribute(PROJECTION_MARK):
        return []
    columns, _rows, _slices = projection.GetImageData().GetDimensions()
    to_ras = vtk.vtkMatrix4x4()
    projection.GetIJKToRASMatrix(to_ras)

    def row_of(texts: tuple[str, ...], line: int) -> list[LabelPlace]:
        wide, letters = columns / len(texts), max(map(len, texts))
        places = []
        for number, text in enumerate(texts):
            middle = (number + 0.5) * wide - 0.5
            point = to_ras.MultiplyPoint((middle, -0.5, 0.0, 1.0))
            places.append(LabelPlace(text, tuple(point[:3]), wide, line, letters))
        return places

    return row_of(CHANNELS, 1) + row_of(HALVES * len(CHANNELS), 0)
