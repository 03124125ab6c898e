"""Find or make a study's place in Slicer's subject hierarchy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import slicer
import vtk

from MIMIRLib.scene.node_marks import STUDY_MARK, single_line, study_mark
from MIMIRLib.scene.subject import Subject


def study_folder(
    scene: Any, key: str, subject: Subject, name: str, made: Callable[[int], None]
) -> int:
    """Return the study's folder: the existing one, wherever it was moved to, or a new one.

    Args:
        scene: The scene.
        key: The study's key.
        subject: A new folder is made under its study item, or at the top if it has no UID.
        name: Name of a new folder.
        made: Called with each new item, the topmost first.

    Returns:
        The folder's item ID.
    """
    hierarchy = hierarchy_of(scene)
    for item in all_items(hierarchy):
        if hierarchy.GetItemAttribute(item, STUDY_MARK) == study_mark(key):
            return item
    parent = _study_item(hierarchy, subject, made)
    folder = hierarchy.CreateFolderItem(parent, name)
    hierarchy.SetItemAttribute(folder, STUDY_MARK, study_mark(key))
    made(folder)
    return folder


def folder_name(label: str) -> str:
    """Return the name of a study's folder."""
    return f"MIMIR - {label}"


def rename_folder(scene: Any, mark: str, old: str, new: str) -> None:
    """Give the folder of the study with this mark another name, unless the user has named it."""
    hierarchy = hierarchy_of(scene)
    for item in all_items(hierarchy):
        is_its = hierarchy.GetItemAttribute(item, STUDY_MARK) == mark
        if is_its and hierarchy.GetItemName(item) == old:
            hierarchy.SetItemName(item, new)


def patient_and_study_above(node: Any) -> tuple[str, str, str, str]:
    """Return what Slicer knows of the DICOM study that a node is of; empty where nothing is known.

    Returns:
        Study UID, patient ID, patient's name, and date of the study as in DICOM.
    """
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    hierarchy = hierarchy_of(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    patient, study = constants.GetDICOMLevelPatient(), constants.GetDICOMLevelStudy()

    def above(level: str, name: str) -> str:
        return hierarchy.GetAttributeFromItemAncestor(item, name, level) or "" if item else ""

    return (
        above(study, constants.GetDICOMStudyInstanceUIDAttributeName()),
        above(patient, constants.GetDICOMPatientIDAttributeName()),
        above(patient, constants.GetDICOMPatientNameAttributeName()),
        above(study, constants.GetDICOMStudyDateAttributeName()),
    )


def hierarchy_of(scene: Any) -> Any:
    """Return the scene's subject hierarchy."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def all_items(hierarchy: Any) -> Iterator[int]:
    """Yield the IDs of all items, parents before their children."""
    items = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    for index in range(items.GetNumberOfIds()):
        yield items.GetId(index)


def _study_item(hierarchy: Any, subject: Subject, made: Callable[[int], None]) -> int:
    """Return the study's item, found by its UID or made; the scene's own for files."""
    top = hierarchy.GetSceneItemID()
    if not subject.study_uid:
        return top
    constants = slicer.vtkMRMLSubjectHierarchyConstants

    def find_or_make(uid: str, attribute: str, make: Callable[[], int]) -> int:
        """Return an item that Slicer's DICOM module finds, too, and uses as its own."""
        dicom = constants.GetDICOMUIDName()
        item = hierarchy.GetItemByUID(dicom, uid)
        if not item:
            item = make()
            hierarchy.SetItemUID(item, dicom, uid)
            hierarchy.SetItemOwnerPluginName(item, dicom)
            hierarchy.SetItemAttribute(item, attribute, uid)
            made(item)
        return item

    def make_patient() -> int:
        return hierarchy.CreateSubjectItem(top, single_line(subject.patient_item_name))

    def make_study() -> int:
        # Slicer's own UID for a patient without an ID.
        uid = subject.patient_id or f"Patient-{subject.study_uid}"
        patient = find_or_make(uid, constants.GetDICOMPatientIDAttributeName(), make_patient)
        return hierarchy.CreateStudyItem(patient, single_line(subject.study_item_name))

    attribute = constants.GetDICOMStudyInstanceUIDAttributeName()
    return find_or_make(subject.study_uid, attribute, make_study)
