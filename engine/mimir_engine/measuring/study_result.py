"""One study's measurements and the findings of reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.scan_comparison import ScanComparison
from mimir_engine.measuring.stored_fields import check_fields, numbers_by_name, texts
from mimir_engine.study.finding import Finding


@dataclass(frozen=True)
class StudyResult:
    """One study's measurements: the same in the ledger and in the study's own folder.

    Attributes:
        name: File name or study UID, never the patient's name.
        eid: UK Biobank's participant number; empty for other studies.
        instance: UK Biobank's imaging visit; empty for other studies.
        measurements: By all modules, in their order.
        findings: What was noticed about the input.
        direct: Quantities measured in the volumes, without a network.
        numbers: What the scan is like, by the names of ``SCAN_NUMBERS``.
        scanner: Text that is the same for all studies of one scanner; empty if unknown.
        month: Month of the acquisition, as ``2024-03``; empty if unknown or not to be told.
        comparisons: Whether each module knows such scans, in the modules' order.
        labels: What was measured of each label of a segmentation; empty if none was given.
    """

    name: str
    eid: str
    instance: str
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]
    direct: tuple[DirectMeasurement, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    scanner: str = ""
    month: str = ""
    comparisons: tuple[ScanComparison, ...] = ()
    labels: tuple[LabelMeasurement, ...] = ()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> StudyResult:
        """Read what ``dataclasses.asdict`` and JSON made of a result; ignore further keys.

        Raises:
            TypeError, KeyError: These are not the fields of a result.
        """
        cls.check_json(fields)
        return cls(
            fields["name"],
            fields["eid"],
            fields["instance"],
            tuple(map(Measurement.from_json, fields["measurements"])),
            tuple(Finding(**finding) for finding in fields["findings"]),
            tuple(DirectMeasurement(**quantity) for quantity in fields["direct"]),
            numbers_by_name(fields["numbers"]),
            fields["scanner"],
            fields["month"],
            tuple(map(ScanComparison.from_json, fields["comparisons"])),
            tuple(LabelMeasurement(**label) for label in fields["labels"]),
        )

    @classmethod
    def check_json(cls, fields: Mapping[str, Any]) -> bool:
        """Return True if `from_json` takes these fields, in a third of its time.

        Raises:
            TypeError, KeyError: As `from_json`.
        """
        check_fields(cls, fields)
        for finding in fields["findings"]:
            check_fields(Finding, finding)
        for quantity in fields["direct"]:
            check_fields(DirectMeasurement, quantity)
        for measurement in fields["measurements"]:
            check_fields(Measurement, measurement)
            texts(measurement["flags"])
        numbers_by_name(fields["numbers"])
        for comparison in fields["comparisons"]:
            ScanComparison.check_json(comparison)
        for label in fields["labels"]:
            check_fields(LabelMeasurement, label)
        return True

    @property
    def flags(self) -> tuple[str, ...]:
        """Codes of all findings and of all measurements' flags, without repeats."""
        codes = [finding.code for finding in self.findings]
        codes += [flag for measurement in self.measurements for flag in measurement.flags]
        return tuple(dict.fromkeys(codes))

    def at_level(self, modules: Sequence[InferenceModule], level: float) -> StudyResult:
        """Return the same result with intervals of another level.

        Args:
            modules: The inference modules that measured the study, in their order.
            level: Share of the intervals that contain the true value, between 0 and 1.

        Raises:
            MimirError: ``LEVEL_INVALID``.
        """
        targets = [target for module in modules for target in module.targets]
        pairs = zip(self.measurements, targets)
        changed = (m if m.level == level else m.at_level(target, level) for m, target in pairs)
        return replace(self, measurements=tuple(changed))
