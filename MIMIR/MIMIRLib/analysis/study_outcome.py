"""What came of a study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from MIMIRLib.scene.results import StudyNodes


@dataclass(frozen=True)
class StudyOutcome:
    """The measurements and nodes of one study, or the reason why it has none.

    Attributes:
        key: Study UID or file name.
        measurements: The networks' measurements, in full precision.
        findings: What was corrected or noticed, each an engine's ``Finding``.
        flags: Codes of findings and measurements.
        nodes: Its nodes in the scene.
        code: Error code if it could not be measured; else empty.
        reason: Why it could not be measured; empty if it was.
        direct: Quantities measured in the images, without a network: ``name``, ``value``, ``unit``.
        labels: What was measured of each label of a segmentation, an engine's ``LabelMeasurement``.
    """

    key: str
    measurements: tuple[Any, ...] = ()
    findings: tuple[Any, ...] = ()
    flags: tuple[str, ...] = ()
    nodes: StudyNodes = field(default_factory=StudyNodes)
    code: str = ""
    reason: str = ""
    direct: tuple[Any, ...] = ()
    labels: tuple[Any, ...] = ()
