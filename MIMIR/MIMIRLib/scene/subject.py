"""The place of a study's results in Slicer's subject hierarchy; needs no Slicer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """The place of a study's results in the subject hierarchy; all empty for files.

    Attributes:
        study_uid: DICOM's Study Instance UID.
        patient_id: DICOM's Patient ID.
        patient_item_name: Slicer's own name for the patient; used only if Slicer has no item of
            this patient yet.
        study_item_name: Slicer's own name for the study; the nodes' names contain it.
    """

    study_uid: str = ""
    patient_id: str = ""
    patient_item_name: str = ""
    study_item_name: str = ""
