"""Replace old nodes by new ones: all of a run's nodes enter the scene, or none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Optional

import slicer
import vtk

from MIMIRLib.scene.index import (
    LABEL_MARK,
    find_index,
    new_index,
    refer,
    referenced,
    subject_of,
    write_subject,
)
from MIMIRLib.scene.kept_changes import keep_changes, note_display
from MIMIRLib.scene.labels import free_label, label_again
from MIMIRLib.scene.node_marks import ROLE_WORDS, mark, node_name
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import (
    all_items,
    folder_name,
    hierarchy_of,
    study_folder,
)

#: The scene's event after new results have taken their places; VTK leaves such numbers to users.
RESULTS_EVENT = vtk.vtkCommand.UserEvent + 4242


class Transaction:
    """Makes nodes; a context that removes all of them at its end unless they were committed.

    Usage::

        with Transaction(scene) as transaction:
            label = transaction.begin(key, subject)
            transaction.add(node, key, role)
            transaction.commit()
    """

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self._made: list[tuple[str, str, Any]] = []
        self._items: list[int] = []
        self._folders: dict[str, int] = {}
        self._named: dict[str, tuple[Subject, str]] = {}

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, *_: object) -> None:
        discard(self.scene, [node for _, _, node in reversed(self._made)])
        hierarchy = hierarchy_of(self.scene)
        present = set(all_items(hierarchy))
        for item in reversed(self._items):
            if item in present and hierarchy.GetNumberOfItemChildren(item) == 0:
                hierarchy.RemoveItem(item, False, False)

    def begin(self, key: str, subject: Subject) -> str:
        """Name a study, and make a folder for it if it has none.

        If nothing is known of whose study it is, it stays that of the patient known before.

        Returns:
            The label of the study in its nodes' names; no other study in the scene has it.
        """
        known = subject if subject.is_known else subject_of(self.scene, key)
        label = free_label(self.scene, key, known, self._named)
        self._named[key] = known, label
        made = self._items.append
        self._folders[key] = study_folder(self.scene, key, subject, folder_name(label), made)
        return label

    def add(self, node: Any, key: str, role: str, in_tree: bool = True) -> Any:
        """Put a new node into the scene and into its study's folder, if it has one.

        Args:
            node: The node, not in the scene yet.
            key: The study's key.
            role: The node's role in the study.
            in_tree: Show it in the tree; False for a node that only serves another one.
        """
        mark(node, key, role)
        constants = slicer.vtkMRMLSubjectHierarchyConstants
        if not in_tree:
            hidden = constants.GetSubjectHierarchyExcludeFromTreeAttributeName()
            node.SetAttribute(hidden, "1")
        self._made.append((key, role, node))
        self.scene.AddNode(node)
        hierarchy = hierarchy_of(self.scene)
        hierarchy.CreateItem(self._folders.get(key, hierarchy.GetSceneItemID()), node)
        return node

    def commit(self) -> None:
        """Replace the old nodes, also where other nodes refer to them."""
        made, self._made, self._items = self._made, [], []
        successors: dict[Any, Any] = {}
        for key in dict.fromkeys(key for key, _, _ in made):
            index = find_index(self.scene, key) or new_index(self.scene, key)
            old_label = index.GetAttribute(LABEL_MARK) or ""
            if key in self._named:
                subject, label = self._named[key]
                write_subject(index, subject)
                index.SetAttribute(LABEL_MARK, label)
            for role in dict.fromkeys(role for other, role, _ in made if other == key):
                new = [node for other, kind, node in made if (other, kind) == (key, role)]
                old = referenced(index, role)
                successors.update(zip_longest(old, new[: len(old)]))
                for node in new:
                    note_display(node)
                if role in ROLE_WORDS:
                    for before, after in zip(old, new):
                        keep_changes(before, after, node_name(role, old_label))
                refer(index, role, new)
        _hand_over(self.scene, successors)
        discard(self.scene, list(successors))
        label_again(self.scene)
        self.scene.InvokeEvent(RESULTS_EVENT)


def discard(scene: Any, nodes: list[Any]) -> None:
    """Remove nodes with their display nodes, storage nodes and tree items."""
    for node in nodes:
        if node.GetScene() is not scene:
            continue
        for serving in _serving(node):
            scene.RemoveNode(serving)
        # Slicer's application does this by itself; the bare library would leave the item behind.
        item = hierarchy_of(scene).GetItemByDataNode(node)
        if item:
            hierarchy_of(scene).RemoveItem(item, False, False)
        scene.RemoveNode(node)


def _serving(node: Any) -> list[Any]:
    serving: list[Any] = []
    if node.IsA("vtkMRMLDisplayableNode"):
        # The last first: a colour legend describes the first one.
        numbers = reversed(range(node.GetNumberOfDisplayNodes()))
        serving += map(node.GetNthDisplayNode, numbers)
    if node.IsA("vtkMRMLStorableNode"):
        serving.append(node.GetStorageNode())
    return [node for node in serving if node is not None]


def _hand_over(scene: Any, successors: Mapping[Any, Optional[Any]]) -> None:
    """Let views and users' nodes that refer to a node refer to its successor."""
    ids = {old.GetID(): new.GetID() for old, new in successors.items() if new is not None}
    for node in [node for node in scene.GetNodes() if ids and node not in successors]:
        for number in range(node.GetNumberOfNodeReferenceRoles()):
            role = node.GetNthNodeReferenceRole(number)
            for index in range(node.GetNumberOfNodeReferences(role)):
                new = ids.get(node.GetNthNodeReferenceID(role, index))
                if new is not None:
                    node.SetNthNodeReferenceID(role, index, new)
