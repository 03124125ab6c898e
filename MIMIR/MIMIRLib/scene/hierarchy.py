"""The folder of Slicer's subject hierarchy that holds a study's results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import slicer
import vtk

from MIMIRLib.scene.marks import STUDY_MARK, plain, study_mark


def study_folder(
    scene: Any, key: str, subject: Subject, name: str, made: Callable[[int], None]
) -> int:
    """The study's folder: the one that is there, wherever it was moved to, or a new one.

    Args:
        scene: The scene.
        key: The study's key.
        subject: Under whose study item a new folder is made; without a UID it is made at the top.
        name: Name of a new folder.
        made: Is told every item that had to be made, the topmost first.

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


def hierarchy_of(scene: Any) -> Any:
    """The scene's subject hierarchy."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def all_items(hierarchy: Any) -> Iterator[int]:
    """IDs of all items of the hierarchy, parents before their children."""
    items = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    for index in range(items.GetNumberOfIds()):
        yield items.GetId(index)


def _study_item(hierarchy: Any, subject: Subject, made: Callable[[int], None]) -> int:
    """The study's item, found by its UID or made; the scene's own for plain files."""
    if not subject.study_uid:
        return hierarchy.GetSceneItemID()
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    study = hierarchy.GetItemByUID(constants.GetDICOMUIDName(), subject.study_uid)
    if study:
        return study
    patient = _patient_item(hierarchy, subject, made)
    study = hierarchy.CreateStudyItem(patient, plain(subject.study_item_name) or "Study")
    _identify(hierarchy, study, subject.study_uid)
    hierarchy.SetItemAttribute(
        study, constants.GetDICOMStudyInstanceUIDAttributeName(), subject.study_uid
    )
    made(study)
    return study


def _patient_item(hierarchy: Any, subject: Subject, made: Callable[[int], None]) -> int:
    """The patient's item, found as Slicer's DICOM module would find it, or made."""
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    # What Slicer takes for the UID of a patient whose ID is empty.
    uid = subject.patient_id or f"Patient-{subject.study_uid}"
    patient = hierarchy.GetItemByUID(constants.GetDICOMUIDName(), uid)
    if patient:
        return patient
    patient = hierarchy.CreateSubjectItem(
        hierarchy.GetSceneItemID(), plain(subject.patient_item_name) or "Patient"
    )
    _identify(hierarchy, patient, uid)
    hierarchy.SetItemAttribute(patient, constants.GetDICOMPatientIDAttributeName(), uid)
    made(patient)
    return patient


def _identify(hierarchy: Any, item: int, uid: str) -> None:
    """Let Slicer's DICOM module find the item again, and take it for its own."""
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    hierarchy.SetItemUID(item, constants.GetDICOMUIDName(), uid)
    hierarchy.SetItemOwnerPluginName(item, constants.GetDICOMUIDName())


@dataclass(frozen=True)
class Subject:
    """Where a study's results lie in the subject hierarchy; all empty for plain files.

    Attributes:
        study_uid: DICOM's Study Instance UID.
        patient_id: DICOM's Patient ID.
        patient_item_name: What Slicer itself calls the patient; used only if Slicer has no item
            of this patient yet.
        study_item_name: What Slicer itself calls the study; also begins the nodes' names.
    """

    study_uid: str = ""
    patient_id: str = ""
    patient_item_name: str = ""
    study_item_name: str = ""
