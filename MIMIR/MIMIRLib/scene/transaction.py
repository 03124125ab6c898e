"""Replace old nodes by new ones: all of a run's nodes enter the scene, or none.

A hidden index node per study has a *reference* to each result. References distinguish MIMIR's own
nodes from a user's clones: cloning copies all attributes but no references to the original. Node
IDs change when a scene is loaded into another; Slicer adapts references.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain, count, zip_longest
from typing import Any, Optional

import slicer

from MIMIRLib.scene.node_marks import (
    INDEX,
    ROLE_MARK,
    STUDY_MARK,
    mark,
    name_for_node,
    study_mark,
)
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import all_items, hierarchy_of, study_folder

#: Attribute of an index node: the label of the study in its nodes' names.
LABEL_MARK = "MIMIR.Label"
#: Beginning of an index node's reference roles.
REFERENCE = "MIMIR."


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
        self._places: dict[str, tuple[str, int]] = {}

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
        """Make a folder for a study if it has none.

        Returns:
            The label of the study in its nodes' names; no other study in the scene has it.
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
        _, folder = self._places.get(key, ("", hierarchy.GetSceneItemID()))
        hierarchy.CreateItem(folder, node)
        return node

    def commit(self) -> None:
        """Replace the old nodes, also where other nodes refer to them."""
        made, self._made, self._items = self._made, [], []
        successors: dict[Any, Any] = {}
        for key in dict.fromkeys(key for key, _, _ in made):
            index = _index(self.scene, key) or _new_index(self.scene, key)
            index.SetAttribute(LABEL_MARK, self._places.get(key, ("", 0))[0])
            for role in dict.fromkeys(role for other, role, _ in made if other == key):
                new = [node for other, kind, node in made if (other, kind) == (key, role)]
                old = _referenced(index, role)
                successors.update(zip_longest(old, new[: len(old)]))
                index.RemoveNodeReferenceIDs(REFERENCE + role)
                for node in new:
                    index.AddNodeReferenceID(REFERENCE + role, node.GetID())
        _hand_over(self.scene, successors)
        discard(self.scene, list(successors))


def owned(scene: Any, key: str, role: str) -> Optional[Any]:
    """Return MIMIR's own node of a study and role; None if it does not exist."""
    index = _index(scene, key)
    nodes = _referenced(index, role) if index else []
    return nodes[0] if nodes else None


def label_of(scene: Any, key: str) -> str:
    """Return the label of a study in its nodes' names."""
    index = _index(scene, key)
    return (index.GetAttribute(LABEL_MARK) or "") if index else ""


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
        serving += map(node.GetNthDisplayNode, range(node.GetNumberOfDisplayNodes()))
    if node.IsA("vtkMRMLStorableNode"):
        serving.append(node.GetStorageNode())
    return [node for node in serving if node is not None]


def _indices(scene: Any) -> Iterator[Any]:
    return (node for node in scene.GetNodes() if node.GetAttribute(ROLE_MARK) == INDEX)


def _index(scene: Any, key: str) -> Optional[Any]:
    study = study_mark(key)
    return next((n for n in _indices(scene) if n.GetAttribute(STUDY_MARK) == study), None)


def _new_index(scene: Any, key: str) -> Any:
    index = slicer.vtkMRMLScriptedModuleNode()
    index.SetName("MIMIR index")
    index.HideFromEditorsOn()
    mark(index, key, INDEX)
    scene.AddNode(index)
    return index


def _referenced(index: Any, role: str) -> list[Any]:
    numbers = range(index.GetNumberOfNodeReferences(REFERENCE + role))
    nodes = (index.GetNthNodeReference(REFERENCE + role, number) for number in numbers)
    return [node for node in nodes if node is not None]


def _free_label(scene: Any, key: str, wanted: str, taken: set[str]) -> str:
    """Return ``wanted``, with a number if another study's nodes have this label already.

    Slicer names files after nodes, so labels also differ where disks ignore case.
    """
    own = study_mark(key)
    others = {
        index.GetAttribute(LABEL_MARK)
        for index in _indices(scene)
        if index.GetAttribute(STUDY_MARK) != own and _has_nodes(index)
    }
    label = name_for_node(wanted) or "study"
    candidates = chain([label], (f"{label} ({number})" for number in count(2)))
    used = {_on_disk(other) for other in others | taken if other}
    return next(candidate for candidate in candidates if _on_disk(candidate) not in used)


def _on_disk(label: str) -> str:
    return unicodedata.normalize("NFKC", label).casefold()


def _has_nodes(index: Any) -> bool:
    roles = range(index.GetNumberOfNodeReferenceRoles())
    return any(index.GetNodeReference(index.GetNthNodeReferenceRole(role)) for role in roles)


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
