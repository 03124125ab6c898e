"""Whose a study's results are: the patient, the date and the description of the study.

For the screen, the scene and files that the user exports; the engine and logs never see it.
"""

from __future__ import annotations

from dataclasses import dataclass

from MIMIRLib.translate import tr as _

#: Longest title of a study, in characters: files are named after nodes, and have up to 255.
MAX_TITLE_LENGTH = 120


@dataclass(frozen=True)
class Subject:
    """Whose a study's results are; all empty for a study in files.

    Attributes:
        study_uid: DICOM's Study Instance UID; the results' place in the subject hierarchy.
        patient_id: DICOM's Patient ID.
        patient_name: The patient's name as in Slicer's list of studies.
        date: Date of the study, ``YYYY-MM-DD``.
        description: DICOM's Study Description.
    """

    study_uid: str = ""
    patient_id: str = ""
    patient_name: str = ""
    date: str = ""
    description: str = ""

    @property
    def is_known(self) -> bool:
        """True if people can tell the study by it."""
        return any((self.patient_id, self.patient_name, self.date, self.description))

    @property
    def patient(self) -> str:
        """The patient's name for people, or else the ID."""
        return readable_name(self.patient_name) or self.patient_id

    @property
    def name_and_id(self) -> str:
        """The patient's name and ID, as far as they are known."""
        name = readable_name(self.patient_name)
        return f"{name} ({self.patient_id})" if name and self.patient_id else self.patient

    @property
    def title(self) -> str:
        """Patient, date and description; other patients may have the same name."""
        return self._title(self.patient)

    @property
    def full_title(self) -> str:
        """The title with the patient's name and ID."""
        return self._title(self.name_and_id)

    @property
    def patient_item_name(self) -> str:
        """The name that Slicer itself gives to a patient in the subject hierarchy."""
        name = self.patient_name or "No name"
        return f"{name} ({self.patient_id})" if self.patient_id else name

    @property
    def study_item_name(self) -> str:
        """The name that Slicer itself gives to a study in the subject hierarchy."""
        description, date = self.description or "No study description", self.date.replace("-", "")
        return f"{description} ({date})" if date else description

    def _title(self, patient: str) -> str:
        """Return the title; if it is too long, its description is cut, or left out."""
        if not self.is_known:
            return ""
        unknown = _("No name") if self.study_uid else ""  # volumes of the scene are of no patient
        head = ", ".join(filter(None, (patient or unknown, self.date)))
        description, left = self.description, MAX_TITLE_LENGTH - len(head) - len(", ")
        if len(description) > left:
            description = f"{description[: left - 1].rstrip()}…" if left > 1 else ""
        return ", ".join(filter(None, (head, description)))


def readable_name(name: str) -> str:
    """Return a DICOM name as Slicer's list of studies shows it: "Doe, Jane" for ``Doe^Jane``.

    Of several spellings, which DICOM separates by ``=``, the first is shown. A name that is
    readable already is unchanged.
    """
    spelling = next(filter(None, (part.strip(" ^") for part in name.split("="))), "")
    family, *others = (" ".join(part.split()) for part in spelling.split("^"))
    return ", ".join(filter(None, (family, " ".join(filter(None, others)))))
