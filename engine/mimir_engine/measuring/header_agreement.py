"""Compare what the headers tell of the patient with the estimates of the networks.

Height and weight in headers are often asked, not measured, and sometimes belong to another patient.
Only what differs clearly is told, and only by how much: the header's own values are never shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from mimir_engine.headers.patient_traits import PatientTraits
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.sex_label import UNCERTAIN
from mimir_engine.study.finding import Finding

#: Difference that is usual, by target and unit, beside the uncertainty of the estimate: of heights
#: and weights that were asked, and of a body's age.
MARGINS = {("height", "cm"): 5.0, ("weight", "kg"): 8.0, ("age", "years"): 5.0}
#: Standard deviations of the estimate that are added: twice a 95 % interval.
MAX_SD = 4.0
_REMEDY = (
    "Check that the header and the images are of the same person, and that the images show the"
    " whole body."
)


def find_header_disagreement(
    traits: PatientTraits, measurements: Iterable[Measurement]
) -> list[Finding]:
    """Find sex, height, weight or age that the headers and the estimates clearly differ in.

    Args:
        traits: What the headers tell.
        measurements: Estimates of all modules; the first of each kind counts, for the sex the first
            that is certain.
    """
    first: dict[str, Measurement] = {}
    for measurement in measurements:
        if measurement.sex_label == UNCERTAIN:
            continue
        first.setdefault("sex" if measurement.is_sex else measurement.target.lower(), measurement)
    findings = []
    for target, measurement in first.items():
        if target == "sex":
            findings += _sex(traits, measurement)
        else:
            findings += _quantity(traits, target, measurement)
    return findings


def _sex(traits: PatientTraits, measurement: Measurement) -> list[Finding]:
    if not traits.sex or measurement.sex_label == traits.sex:
        return []
    sentence = "the header's sex differs from the estimated one"
    return [Finding("HEADER_DISAGREES", sentence, remedy=_REMEDY)]


def _quantity(traits: PatientTraits, target: str, measurement: Measurement) -> list[Finding]:
    margin = MARGINS.get((target, measurement.unit))
    known: Optional[float] = getattr(traits, target) if margin is not None else None
    if margin is None or known is None:
        return []
    apart, limit = abs(known - measurement.value), margin + MAX_SD * measurement.sd
    if apart <= limit:
        return []
    return [
        Finding(
            "HEADER_DISAGREES",
            f"the header's {target} differs from the estimated one by {apart:.0f}"
            f" {measurement.unit}",
            remedy=_REMEDY,
            value=round(apart, 1),
            threshold=round(limit, 1),
            unit=measurement.unit,
        )
    ]
