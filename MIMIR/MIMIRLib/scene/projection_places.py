"""Where the labels of a projection are: each channel, and the coronal and sagittal half in it."""

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
        ras: The middle of the edge of the picture that it stands at (mm).
        width_mm: Width of what it names.
        is_above: It stands above the picture; else below.
        letters: Letters of the longest label in its row: all have one size.
    """

    text: str
    ras: tuple[float, float, float]
    width_mm: float
    is_above: bool
    letters: int


def label_places(projection: Any) -> list[LabelPlace]:
    """Return the labels of a projection's node; none for other nodes and for None."""
    if projection is None or not projection.GetAttribute(PROJECTION_MARK):
        return []
    columns, rows, _slices = projection.GetImageData().GetDimensions()
    to_ras = vtk.vtkMatrix4x4()
    projection.GetIJKToRASMatrix(to_ras)

    def row_of(texts: tuple[str, ...], edge: float, is_above: bool) -> list[LabelPlace]:
        wide, letters = columns / len(texts), max(map(len, texts))
        places = []
        for number, text in enumerate(texts):
            middle = (number + 0.5) * wide - 0.5
            point = to_ras.MultiplyPoint((middle, edge, 0.0, 1.0))
            places.append(LabelPlace(text, tuple(point[:3]), wide, is_above, letters))
        return places

    above = row_of(CHANNELS, -3.5, True)
    return above + row_of(HALVES * len(CHANNELS), rows + 2.5, False)
