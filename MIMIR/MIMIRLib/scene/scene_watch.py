"""Notice when results enter or leave a scene, whoever does it."""

from __future__ import annotations

from typing import Any, Callable

import vtk

from MIMIRLib.notifier import Notifier
from MIMIRLib.scene.forget import forget_deleted
from MIMIRLib.scene.node_marks import ROLE_MARK
from MIMIRLib.scene.transaction import RESULTS_EVENT


class SceneWatch:
    """Watches a scene's results, and forgets studies that the user deletes.

    Args:
        scene: The scene.
        later: Calls a function when the present change of the scene is complete; many changes that
            follow each other lead to one call.

    Attributes:
        changed: Emits when results have come, or were deleted.
    """

    def __init__(self, scene: Any, later: Callable[[Callable[[], None]], Any]) -> None:
        self.changed = Notifier()
        self._scene, self._later, self._is_due = scene, later, False
        events = {
            RESULTS_EVENT: self._note,
            scene.NodeRemovedEvent: self._note_node,
            scene.EndImportEvent: self._note,
        }
        self._tags = [scene.AddObserver(event, called) for event, called in events.items()]

    def close(self) -> None:
        """Stop watching."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._tags = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _note_node(self, _scene: Any, _event: str, node: Any) -> None:
        if node is not None and node.GetAttribute(ROLE_MARK):
            self._note()

    def _note(self, *_: object) -> None:
        if not self._is_due:
            self._is_due = True
            self._later(self._act)

    def _act(self) -> None:
        self._is_due = False
        # A scene that is being closed or read has nodes without the nodes that belong to them.
        if self._tags and not self._scene.IsBatchProcessing():
            forget_deleted(self._scene)
            self.changed.emit()
