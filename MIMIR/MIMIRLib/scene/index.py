"""The hidden index node of each study: its results, whose they are, and its label.

An index has a *reference* to each result. References distinguish MIMIR's own nodes from a user's
clones: cloning copies all attributes but no references to the original. Node IDs change when a
scene is loaded into another; Slicer adapts references.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Optional
from urllib.parse import quote, unquote

import slicer

from MIMIRLib.scene.node_marks import INDEX, ROLE_MARK, STUDY_MARK, mark, study_mark
from MIMIRLib.scene.subject import Subject

#: Attributes of an index: the label of the study in its nodes' names, and its ``Subject`` as JSON.
LABEL_MARK, SUBJECT_MARK = "MIMIR.Label", "MIMIR.Subject"
#: Beginning of an index's reference roles.
REFERENCE = "MIMIR."


def owned(scene: Any, key: str, role: str) -> Optional[Any]:
    """Return MIMIR's own node of a study and role; None if it does not exist."""
    index = find_index(scene, key)
    nodes = referenced(index, role) if index else []
    return nodes[0] if nodes else None


def label_of(scene: Any, key: str) -> str:
    """Return the label of a study: patient, date and description; no other study has the same."""
    index = find_index(scene, key)
    return (index.GetAttribute(LABEL_MARK) or "") if index else ""


def subject_of(scene: Any, key: str) -> Subject:
    """Return whose a study's results are; nothing is known of a study in files."""
    index = find_index(scene, key)
    return read_subject(index) if index else Subject()


def read_subject(index: Any) -> Subject:
    """Return the subject that is written on an index; one of an earlier version has none."""
    try:
        return Subject(**json.loads(unquote(index.GetAttribute(SUBJECT_MARK) or "")))
    except (TypeError, ValueError):
        return Subject()


def write_subject(index: Any, subject: Subject) -> None:
    """Write on an index whose results it has."""
    index.SetAttribute(SUBJECT_MARK, quote(json.dumps(asdict(subject)), safe=""))


def all_indices(scene: Any) -> Iterator[Any]:
    """Yield the indices of all studies, and of the cohort."""
    return (node for node in scene.GetNodes() if node.GetAttribute(ROLE_MARK) == INDEX)


def find_index(scene: Any, key: str) -> Optional[Any]:
    """Return the index of a study; None if it has none."""
    study = study_mark(key)
    return next((n for n in all_indices(scene) if n.GetAttribute(STUDY_MARK) == study), None)


def new_index(scene: Any, key: str) -> Any:
    """Add an empty index of a study to the scene."""
    index = slicer.vtkMRMLScriptedModuleNode()
    index.SetName("MIMIR index")
    index.HideFromEditorsOn()
    mark(index, key, INDEX)
    scene.AddNode(index)
    return index


def roles_of(index: Any) -> list[str]:
    """Return the roles of the results of a study."""
    names = map(index.GetNthNodeReferenceRole, range(index.GetNumberOfNodeReferenceRoles()))
    return [name[len(REFERENCE) :] for name in names if name.startswith(REFERENCE)]


def referenced(index: Any, role: str) -> list[Any]:
    """Return the results of a study with this role that are in the scene."""
    numbers = range(index.GetNumberOfNodeReferences(REFERENCE + role))
    nodes = (index.GetNthNodeReference(REFERENCE + role, number) for number in numbers)
    return [node for node in nodes if node is not None]


def refer(index: Any, role: str, nodes: Sequence[Any]) -> None:
    """Let an index refer to nodes as the results with this role, and to no others."""
    index.RemoveNodeReferenceIDs(REFERENCE + role)
    for node in nodes:
        index.AddNodeReferenceID(REFERENCE + role, node.GetID())


def has_nodes(index: Any) -> bool:
    """Return whether any of the study's results is still in the scene."""
    return any(referenced(index, role) for role in roles_of(index))
