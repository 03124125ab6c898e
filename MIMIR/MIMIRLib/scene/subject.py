"""Whom results belong to."""

from __future__ import annotations

from dataclasses import dataclass


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
