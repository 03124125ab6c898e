"""Say whose images a view really shows, whatever result is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import slicer

from MIMIRLib.scene.index import label_of, subject_of
from MIMIRLib.scene.node_marks import name_for_node, single_line
from MIMIRLib.scene.slice_layers import study_of
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.translate import tr as _

#: Longest line, in characters; views of a body are narrow.
LINE_LENGTH = 28


@dataclass(frozen=True)
class CornerText:
    """The text in a view's corner.

    Attributes:
        text: Some lines; empty if the view shows none of MIMIR's volumes.
        is_warning: The view mixes images of two patients or studies.
    """

    text: str = ""
    is_warning: bool = False


def corner_text(scene: Any, layers: Sequence[Any]) -> CornerText:
    """Return the text for a view that shows these volumes, from back to front."""
    keys = [*dict.fromkeys(filter(None, map(study_of, layers)))]
    if not keys:
        return CornerText()
    lines = [line for key in keys for line in _label_lines(scene, key)]
    others = [node for node in layers if not study_of(node)]
    lines += [_("and {name}").format(name=single_line(node.GetName())) for node in others]
    patients = {patient_item(scene, node) for node in layers} - {0}
    research = _("research use only")
    if len(patients) > 1:
        return CornerText("\n".join((_("TWO PATIENTS"), *lines, research)), True)
    if len(keys) > 1:
        return CornerText("\n".join((_("TWO STUDIES"), *lines, research)), True)
    return CornerText("\n".join((*lines, research)))


def patient_item(scene: Any, node: Any) -> int:
    """Return the item of a node's patient in the subject hierarchy; 0 without one."""
    hierarchy = hierarchy_of(scene)
    level = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelPatient()
    item = hierarchy.GetItemByDataNode(node)
    return hierarchy.GetItemAncestorAtLevel(item, level) if item else 0


def _label_lines(scene: Any, key: str) -> list[str]:
    """Return a study's label in lines: patient, date, and the rest."""
    subject, label = subject_of(scene, key), label_of(scene, key) or single_line(key)
    for patient in filter(None, (subject.name_and_id, subject.patient)):
        head = name_for_node(", ".join(filter(None, (patient, subject.date))))
        if label.startswith(head):
            rest = label[len(head) :].lstrip(", ")
            return [*filter(None, (patient, subject.date)), *wrap(rest, LINE_LENGTH)]
    return wrap(label, LINE_LENGTH)
