"""Keep what a user changed on MIMIR's own nodes when new nodes take their places.

That is a node's name, its parent transform, and how it is displayed: never its data. What MIMIR had
set itself is written on the display node, so that only the user's changes are kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

#: Attribute of a display node: the settings that MIMIR gave to it, as JSON.
DISPLAY_MARK = "MIMIR.Display"
#: Settings of display nodes of volumes and segmentations; the automatic window comes first.
SETTINGS = (
    *("AutoWindowLevel", "Window", "Level", "ColorNodeID", "Interpolate"),
    *("ApplyThreshold", "LowerThreshold", "UpperThreshold"),
    *("Visibility", "Visibility2D", "Visibility3D"),
    *("Opacity", "Opacity2DFill", "Opacity2DOutline"),
)
#: Setters whose names differ from those of the getters.
SETTERS = {"ColorNodeID": "SetAndObserveColorNodeID"}
#: Scene files round numbers: settings are the same within this relative difference.
TOLERANCE = 1e-4


def keep_changes(old: Any, new: Any, given_name: str) -> None:
    """Make the user's changes of a node on the node that replaces it.

    Args:
        old: MIMIR's node of an earlier run, in the scene.
        new: The node of the same study and role that replaces it, in the scene.
        given_name: The name that MIMIR gave to the old node.
    """
    if old.GetName() != given_name:
        new.SetName(old.GetName())
    if new.IsA("vtkMRMLTransformableNode"):
        new.SetAndObserveTransformNodeID(old.GetTransformNodeID())
    if not new.IsA("vtkMRMLDisplayableNode"):
        return
    before, after = old.GetDisplayNode(), new.GetDisplayNode()
    if before is None or after is None or before.GetClassName() != after.GetClassName():
        return
    given = json.loads(before.GetAttribute(DISPLAY_MARK) or "{}")
    for name, value in _changed(_settings(before), given.get("settings", {})):
        getattr(after, SETTERS.get(name, f"Set{name}"))(value)
    colours = dict(_changed(_colours(old), given.get("colours", {})))
    for label, segment in _segments(new):
        if label in colours:
            segment.SetColor(*colours[label])


def note_display(node: Any) -> None:
    """Write on a new node's display node what MIMIR has set, before the user changes it."""
    display = node.GetDisplayNode() if node.IsA("vtkMRMLDisplayableNode") else None
    if display is not None:
        given = {"settings": _settings(display), "colours": _colours(node)}
        display.SetAttribute(DISPLAY_MARK, json.dumps(given))


def _changed(present: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings that are not as MIMIR gave them."""
    for name, value in present.items():
        if name in given and not _same(value, given[name]):
            yield name, value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _settings(display: Any) -> dict[str, Any]:
    return {
        name: getattr(display, f"Get{name}")()
        for name in SETTINGS
        if hasattr(display, f"Get{name}")
    }


def _segments(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield label and segment of each segment; none of another node."""
    if node.IsA("vtkMRMLSegmentationNode"):
        segmentation = node.GetSegmentation()
        for number in range(segmentation.GetNumberOfSegments()):
            segment = segmentation.GetNthSegment(number)
            yield str(segment.GetLabelValue()), segment


def _colours(node: Any) -> dict[str, Any]:
    return {label: segment.GetColor() for label, segment in _segments(node)}
