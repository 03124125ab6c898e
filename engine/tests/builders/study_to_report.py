"""Build a measured study with all that a report can say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from labels_builder import label_measured
from many_measurements import many_measurements

from mimir_engine.cohort.made_with import MadeWith
from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.inference_module.module_card import ModuleCard
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.scan_comparison import Contribution, ScanComparison
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.report.measured_study import MeasuredStudy
from mimir_engine.study.finding import NOTE, Finding

CARD = ModuleCard(
    name="published",
    version="1.0",
    title="Body composition",
    description="Trained on a cohort.",
    valid_for="scanners by SIEMENS, 1.5 T, 6 stations",
    networks="10 x resnet50",
    licence="CC-BY-4.0",
    demonstration=False,
    sha256="0123456789abcdef" * 4,
)
FINDINGS = (
    Finding("DARK_VOID", "161 mL of the right side are dark", remedy="Look at the images."),
    Finding("STATION_RESCANNED", "Station 2 was scanned twice", NOTE),
)
UNUSUAL = ScanComparison(
    "published",
    "UNUSUAL",
    2.0,
    "2,500 scans of the module's calibration",
    (Contribution("voids_above", 145.0, 19.4, 50.8, 2.0),),
)
DIRECT = (
    DirectMeasurement("fat_volume", "L", 21.123456),
    DirectMeasurement("waist", "cm", reason="the arms touch the trunk"),
)


def measured_study(**changes: Any) -> MeasuredStudy:
    """A study with all published measurements, findings and direct measurements."""
    fields = {
        "name": "1.2.3",
        "eid": "",
        "instance": "",
        "measurements": tuple(many_measurements()),
        "findings": FINDINGS,
        "direct": DIRECT,
        "month": "2024-03",
        "comparisons": (UNUSUAL,),
    }
    run = {"mimir": "0.6.0", "torch": "2.8.0", "recorded_sex": ""}
    result = StudyResult(**{**fields, **changes})
    return MeasuredStudy(result, "SIEMENS Aera 1.5 T", 6, MadeWith(run, (CARD,)))


def projection() -> np.ndarray:
    """An image in which the body's left half is bright."""
    image = np.zeros((3, 256, 256), np.uint8)
    image[:, :, :128] = 200
    return image


def hostile_study(text: str) -> MeasuredStudy:
    """A study whose texts from outside are all the same."""
    study = measured_study()
    measurement = replace(
        study.result.measurements[0],
        name=text,
        target=text,
        unit=text,
        module=text,
        module_version=text,
        percentile_reference=text,
        z_reference=text,
        flags=(text,),
    )
    card = replace(CARD, name=text, title=text, description=text, valid_for=text, licence=text)
    result = replace(
        study.result,
        name=text,
        eid=text,
        measurements=(measurement, *study.result.measurements[1:]),
        findings=(Finding(text, text, remedy=text),),
        direct=(DirectMeasurement("waist", "cm", reason=text),),
        comparisons=(replace(UNUSUAL, module=text, reference=text),),
        labels=(replace(label_measured("liver", 1.5), title=text, reason=text),),
    )
    return MeasuredStudy(result, text, 6, MadeWith({"mimir": text}, (card,)))


def with_flags(measurement: Measurement, *flags: str) -> Measurement:
    """The same measurement with these flags."""
    return replace(measurement, flags=flags)
