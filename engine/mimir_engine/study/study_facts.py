"""What is known of a study besides its images."""

from __future__ import annotations

from dataclasses import dataclass, field

from mimir_engine.headers.patient_traits import PatientTraits
from mimir_engine.headers.scanner import Scanner
from mimir_engine.study.finding import Finding


@dataclass(frozen=True)
class StudyFacts:
    """A study without its images: plain values, which JSON can hold.

    Attributes:
        name: File name, folder name or study UID; never the patient's name.
        contrasts: The contrasts of each station, from head to foot.
        scanner: Vendor, model, field strength and device.
        eid: UK Biobank's participant number from the file name, else empty.
        instance: UK Biobank's visit number from the file name, else empty.
        findings: Notes about the input: what was corrected or noticed while reading.
        traits: Sex, age, height and weight of the patient according to the headers; never shown.
        month: Month of the acquisition, as ``2024-03``; empty if unknown or not to be told.
    """

    name: str
    contrasts: tuple[tuple[str, ...], ...]
    scanner: Scanner = field(default_factory=Scanner)
    eid: str = ""
    instance: str = ""
    findings: tuple[Finding, ...] = ()
    traits: PatientTraits = field(default_factory=PatientTraits)
    month: str = ""
