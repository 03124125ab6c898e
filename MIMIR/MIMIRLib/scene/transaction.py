"""New nodes for old: all of a run's nodes enter the scene, or none.

What belongs to MIMIR is what a study's record refers to: a hidden node with a *reference* to each
result. An attribute on the results would not do, because a user's clone has all attributes of its
original; and node IDs would not, because they change where a scene is loaded into another.
References do neither: cloning leaves them out, and Slicer maps them when it reads a scene.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Optional

import slicer

from MIMIRLib.scene.hierarchy import Subject, all_items, hierarchy_of, study_folder
from MIMIRLib.scene.marks import RECORD, ROLE_MARK, STUDY_MARK, mark, plain_name, study_mark

LABEL_MARK = "MIMIR.Label"
REFERENCE = "MIMIR."


class Exchange:
    """Nodes being made; a context that takes all of them back unless they were committed.

    Usage::

        with Exchange(scene) as exchange:
            label = exchange.begin(key, subject)
            exchange.add(node, key, role)
            exchange.commit()
    """

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self._made: list[tuple[str, str, Any]] = []
        self._shared: list[Any] = []
        self._items: list[int] = []
        self._places: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo()

    def begin(self, key: str, subject: Subject) -> str:
        """Make sure that a study has a folder.

        Returns:
            What its nodes' names begin with: no other study's results in the scene do so.
        """
        taken = {label for other, (label, _) in self._places.items() if other != key}
        label = _free_label(self.scene, key, subject.study_item_name or key, taken)
        name = "MIMIR" if subject.study_uid else f"MIMIR - {label}"
        folder = study_folder(self.scene, key, subject, name, self._items.append)
        self._places[key] = (label, folder)
        return label

    def add(self, node: Any, key: str, role: str, in_tree: bool = True) -> Any:
        """Put a new node into the scene and into its study's folder, if it has one.

        Args:
            node: The node, not in the scene yet.
            key: The study's key.
            role: What the node is of the study.
            in_tree: Show it in the tree; what only serves another node need not be seen.
        """
        mark(node, key, role)
        constants = slicer.vtkMRMLSubjectHierarchyConstants
        if not in_tree:
            hidden = constants.GetSubjectHierarchyExcludeFromTreeAttributeName()
            node.SetAttribute(hidden, "1")
        self._made.append((key, role, node))
        self.scene.AddNode(node)
        hierarchy = hierarchy_of(self.scene)
        _, folder = self._places.get(key, ("", hierarchy.GetSceneItemID()))
        hierarchy.CreateItem(folder, node)
        return node

    def add_shared(self, node: Any) -> Any:
        """Put a node into the scene that no study owns; it is left there by later runs."""
        self._shared.append(node)
        self.scene.AddNode(node)
        return node

    def commit(self) -> None:
        """Let the new nodes take the old ones' place, also where other nodes refer to those."""
        made, self._made, self._shared, self._items = self._made, [], [], []
        successors: dict[Any, Any] = {}
        for key in dict.fromkeys(key for key, _, _ in made):
            record = _record(self.scene, key) or _new_record(self.scene, key)
            record.SetAttribute(LABEL_MARK, self._places.get(key, ("", 0))[0])
            for role in dict.fromkeys(role for other, role, _ in made if other == key):
                new = [node for other, kind, node in made if (other, kind) == (key, role)]
                old = _referenced(record, role)
                successors.update(zip_longest(old, new[: len(old)]))
                record.RemoveNodeReferenceIDs(REFERENCE + role)
                for node in new:
                    record.AddNodeReferenceID(REFERENCE + role, node.GetID())
        _hand_over(self.scene, successors)
        discard(self.scene, list(successors))

    def _undo(self) -> None:
        discard(self.scene, [node for _, _, node in reversed(self._made)])
        discard(self.scene, self._shared)
        hierarchy = hierarchy_of(self.scene)
        present = set(all_items(hierarchy))
        for item in reversed(self._items):
            if item in present and hierarchy.GetNumberOfItemChildren(item) == 0:
                hierarchy.RemoveItem(item, False, False)
        self._made, self._shared, self._items = [], [], []


def owned(scene: Any, key: str, role: str) -> Optional[Any]:
    """MIMIR's own node of a study and role; None where there is none (any more)."""
    record = _record(scene, key)
    nodes = _referenced(record, role) if record else []
    return nodes[0] if nodes else None


def label_of(scene: Any, key: str) -> str:
    """What a study is called in the names of its nodes."""
    record = _record(scene, key)
    return (record.GetAttribute(LABEL_MARK) or "") if record else ""


def discard(scene: Any, nodes: list[Any]) -> None:
    """Remove nodes with what only serves them: display and storage nodes, tree items."""
    for node in nodes:
        if node.GetScene() is not scene:
            continue
        for serving in _serving(node):
            scene.RemoveNode(serving)
        # First, as Slicer's application does by itself; the bare library would leave it behind.
        item = hierarchy_of(scene).GetItemByDataNode(node)
        if item:
            hierarchy_of(scene).RemoveItem(item, False, False)
        scene.RemoveNode(node)


def _serving(node: Any) -> list[Any]:
    serving = []
    if node.IsA("vtkMRMLDisplayableNode"):
        count = node.GetNumberOfDisplayNodes()
        serving += [node.GetNthDisplayNode(index) for index in range(count)]
    if node.IsA("vtkMRMLStorableNode"):
        serving.append(node.GetStorageNode())
    return [node for node in serving if node is not None]


def _records(scene: Any) -> Iterator[Any]:
    return (node for node in scene.GetNodes() if node.GetAttribute(ROLE_MARK) == RECORD)


def _record(scene: Any, key: str) -> Optional[Any]:
    wanted = study_mark(key)
    return next((n for n in _records(scene) if n.GetAttribute(STUDY_MARK) == wanted), None)


def _new_record(scene: Any, key: str) -> Any:
    record = slicer.vtkMRMLScriptedModuleNode()
    record.SetName("MIMIR record")
    record.HideFromEditorsOn()
    mark(record, key, RECORD)
    scene.AddNode(record)
    return record


def _referenced(record: Any, role: str) -> list[Any]:
    count = record.GetNumberOfNodeReferences(REFERENCE + role)
    nodes = [record.GetNthNodeReference(REFERENCE + role, index) for index in range(count)]
    return [node for node in nodes if node is not None]


def _free_label(scene: Any, key: str, wanted: str, taken: set[str]) -> str:
    """``wanted``, with a number where another study's nodes are called so already."""
    own = study_mark(key)
    others = {
        record.GetAttribute(LABEL_MARK)
        for record in _records(scene)
        if record.GetAttribute(STUDY_MARK) != own and _has_nodes(record)
    }
    label, number = plain_name(wanted) or "study", 1
    free = label
    while free in others | taken:
        number += 1
        free = f"{label} ({number})"
    return free


def _has_nodes(record: Any) -> bool:
    roles = range(record.GetNumberOfNodeReferenceRoles())
    return any(record.GetNodeReference(record.GetNthNodeReferenceRole(role)) for role in roles)


def _hand_over(scene: Any, successors: Mapping[Any, Optional[Any]]) -> None:
    """Let all that refers to a node refer to its successor: views, and what users made of it."""
    ids = {old.GetID(): new.GetID() for old, new in successors.items() if new is not None}
    for node in [node for node in scene.GetNodes() if ids and node not in successors]:
        for number in range(node.GetNumberOfNodeReferenceRoles()):
            role = node.GetNthNodeReferenceRole(number)
            for index in range(node.GetNumberOfNodeReferences(role)):
                new = ids.get(node.GetNthNodeReferenceID(role, index))
                if new is not None:
                    node.SetNthNodeReferenceID(role, index, new)
