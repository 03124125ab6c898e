"""A study as it was read: its stations, its scanner, and findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from mimir_engine.headers.patient_traits import PatientTraits
from mimir_engine.headers.scanner import Scanner
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station
from mimir_engine.study.study_facts import StudyFacts


@dataclass(frozen=True)
class DixonStudy:
    """One imaging visit of one person, read and found consistent.

    Attributes:
        name: File name, folder name or study UID; never the patient's name.
        stations: From head to foot.
        scanner: Vendor, model, field strength and device.
        eid: UK Biobank's participant number from the file name, else empty.
        instance: UK Biobank's visit number from the file name, else empty.
        findings: Notes about the input: what was corrected or noticed while reading.
        traits: Sex, age, height and weight of the patient according to the headers; never shown.
        month: Month of the acquisition, as ``2024-03``; empty if unknown or not to be told.
    """

    name: str
    stations: tuple[Station, ...]
    scanner: Scanner = field(default_factory=Scanner)
    eid: str = ""
    instance: str = ""
    findings: tuple[Finding, ...] = ()
    traits: PatientTraits = field(default_factory=PatientTraits)
    month: str = ""

    @property
    def facts(self) -> StudyFacts:
        """All but the images."""
        contrasts = tuple(tuple(c.value for c in station.images) for station in self.stations)
        return StudyFacts(
            self.name,
            contrasts,
            self.scanner,
            self.eid,
            self.instance,
            self.findings,
            self.traits,
            self.month,
        )
