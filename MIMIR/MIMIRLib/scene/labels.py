"""Give each study of a scene a label that no other study of the scene has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain, count
from typing import Any

from MIMIRLib.scene.index import (
    LABEL_MARK,
    all_indices,
    has_nodes,
    read_subject,
    referenced,
    roles_of,
)
from MIMIRLib.scene.node_marks import ROLE_WORDS, STUDY_MARK, name_for_node, node_name, study_mark
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import folder_name, rename_folder

#: A study's subject, and the label that it has, or that it is to have if nothing else is known.
Named = tuple[Subject, str]


def free_label(scene: Any, key: str, subject: Subject, others: Mapping[str, Named]) -> str:
    """Return a label for a study that is new in the scene, or that is measured again.

    Args:
        scene: The scene.
        key: The study's key.
        subject: Whose study it is.
        others: Subjects and labels of studies, by key, that have no index yet.
    """
    known = {**_named(scene), **{study_mark(other): one for other, one in others.items()}}
    own = study_mark(key)
    _, label = known.get(own, (subject, ""))
    return _labels({**known, own: (subject, label or name_for_node(key))})[own]


def label_again(scene: Any) -> None:
    """Give all studies' labels, nodes and folders the names that tell their patients apart.

    If a patient of the same name has come, the patients' IDs are named, too. Nodes and folders that
    the user has named keep their names.
    """
    labels = _labels(_named(scene))
    for index in all_indices(scene):
        old, new = index.GetAttribute(LABEL_MARK), labels.get(index.GetAttribute(STUDY_MARK))
        if old and new and old != new:
            _rename(index, old, new)
            rename_folder(scene, index.GetAttribute(STUDY_MARK), folder_name(old), folder_name(new))
            index.SetAttribute(LABEL_MARK, new)


def _named(scene: Any) -> dict[str, Named]:
    """Return the subjects and labels of the studies with results, by their marks."""
    return {
        index.GetAttribute(STUDY_MARK): (read_subject(index), index.GetAttribute(LABEL_MARK))
        for index in all_indices(scene)
        if index.GetAttribute(LABEL_MARK) and has_nodes(index)
    }


def _labels(named: Mapping[str, Named]) -> dict[str, str]:
    """Return a label for each study; one that has a suitable label keeps it."""
    ids: dict[str, set[str]] = {}
    for subject, _ in named.values():
        ids.setdefault(_on_disk(subject.patient), set()).add(subject.patient_id)
    wanted = {}
    for mark, (subject, label) in named.items():
        is_shared = len(ids[_on_disk(subject.patient)]) > 1
        title = subject.full_title if is_shared else subject.title
        wanted[mark] = name_for_node(title) or label or "study"
    labels: dict[str, str] = {}
    used: set[str] = set()
    for mark in sorted(named, key=lambda mark: not _is_of(named[mark][1], wanted[mark])):
        label = named[mark][1]
        present = [label] if _is_of(label, wanted[mark]) else []
        candidates = chain(present, _numbered(wanted[mark]))
        labels[mark] = next(one for one in candidates if _on_disk(one) not in used)
        used.add(_on_disk(labels[mark]))
    return labels


def _is_of(label: str, wanted: str) -> bool:
    """Return whether a label is the wanted one, numbered or not."""
    number = label[len(wanted) :]
    is_numbered = number.startswith(" (") and number.endswith(")") and number[2:-1].isdigit()
    return label.startswith(wanted) and (not number or is_numbered)


def _numbered(label: str) -> Iterator[str]:
    yield label
    yield from (f"{label} ({number})" for number in count(2))


def _on_disk(label: str) -> str:
    """Return what two labels share if a disk takes them for the same.

    Slicer names files after nodes, and disks may ignore case.
    """
    return unicodedata.normalize("NFKC", label).casefold()


def _rename(index: Any, old: str, new: str) -> None:
    for role in filter(ROLE_WORDS.get, roles_of(index)):
        for node in referenced(index, role):
            if node.GetName() == node_name(role, old):
                node.SetName(node_name(role, new))
            if node.IsA("vtkMRMLPlotChartNode") and node.GetTitle().startswith(f"{old} ("):
                node.SetTitle(new + node.GetTitle()[len(old) :])
