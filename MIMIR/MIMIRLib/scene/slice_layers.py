"""Which volumes the slice views show: those of one study, and never two studies' by accident."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from MIMIRLib.scene.node_marks import FRACTION, ROLE_MARK, STUDY_MARK
from MIMIRLib.scene.results import StudyNodes

#: Layout names of the slice views of MIMIR's layouts.
CORONAL_VIEW, SAGITTAL_VIEW, PROJECTION_VIEW = "MIMIRCoronal", "MIMIRSagittal", "MIMIRProjection"
#: Opacity of the fat fraction over the water image, until the user changes it.
FRACTION_OPACITY = 1.0


def study_of(node: Any) -> str:
    """Return the key of the study that a node was made from, also of a copy; else empty."""
    return unquote((node.GetAttribute(STUDY_MARK) or "") if node is not None else "")


def show_layers(scene: Any, nodes: StudyNodes) -> None:
    """Let all slice views show a study's volumes, and nothing else; what it lacks is emptied."""
    for composite in slice_composites(scene):
        is_projection = composite.GetLayoutName() == PROJECTION_VIEW
        old = scene.GetNodeByID(composite.GetForegroundVolumeID() or "")
        if not is_projection and (old is None or old.GetAttribute(ROLE_MARK) != FRACTION):
            composite.SetForegroundOpacity(FRACTION_OPACITY)
        composite.SetBackgroundVolumeID(_id(nodes.projection if is_projection else nodes.water))
        composite.SetForegroundVolumeID(_id(None if is_projection else nodes.fraction))
        composite.SetLabelVolumeID(None)
    hide_other_regions(scene, nodes.key)


def leave_others(scene: Any, key: str) -> None:
    """Take volumes of other studies out of the slice views; volumes of no study stay."""

    def is_foreign(node_id: str) -> bool:
        return study_of(scene.GetNodeByID(node_id or "")) not in ("", key)

    for composite in slice_composites(scene):
        if is_foreign(composite.GetBackgroundVolumeID()):
            composite.SetBackgroundVolumeID(None)
        if is_foreign(composite.GetForegroundVolumeID()):
            composite.SetForegroundVolumeID(None)
        if is_foreign(composite.GetLabelVolumeID()):
            composite.SetLabelVolumeID(None)
    hide_other_regions(scene, key)


def hide_other_regions(scene: Any, key: str) -> None:
    """Hide the parts of the body of other studies: they lie over whatever slices are shown."""
    for node in _all(scene, "vtkMRMLSegmentationNode"):
        if study_of(node) not in ("", key) and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(False)


def visible_layers(scene: Any, composite: Any) -> list[Any]:
    """Return the volumes that a slice view shows, from back to front."""
    layers = [
        (composite.GetBackgroundVolumeID(), 1.0),
        (composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()),
        (composite.GetLabelVolumeID(), composite.GetLabelOpacity()),
    ]
    nodes = [scene.GetNodeByID(node_id) for node_id, opacity in layers if node_id and opacity > 0]
    return [node for node in nodes if node is not None]


def slice_composites(scene: Any) -> Iterator[Any]:
    """Yield the node of each slice view that says which volumes the view shows."""
    return _all(scene, "vtkMRMLSliceCompositeNode")


def _all(scene: Any, kind: str) -> Iterator[Any]:
    numbers = range(scene.GetNumberOfNodesByClass(kind))
    return (scene.GetNthNodeByClass(number, kind) for number in numbers)


def _id(node: Any) -> Any:
    return None if node is None else node.GetID()
