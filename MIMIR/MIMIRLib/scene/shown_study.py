"""Read the measured studies of a scene: whose they are, and their measurements for tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Optional
from urllib.parse import unquote

from MIMIRLib.scene.index import (
    LABEL_MARK,
    all_indices,
    find_index,
    read_subject,
    referenced,
)
from MIMIRLib.scene.kept_result import packed_result, unpacked_result
from MIMIRLib.scene.measurement_table import findings_of
from MIMIRLib.scene.node_marks import MEASUREMENTS, STUDY_MARK
from MIMIRLib.scene.shown_measurement import ShownMeasurement
from MIMIRLib.scene.shown_result import shown_measurements

#: UK Biobank's participant and visit, flags and measurements of a result.
Content = tuple[str, str, tuple[str, ...], tuple[ShownMeasurement, ...]]
#: Results that stay unpacked, so that a list of many studies is soon made again.
MAX_UNPACKED = 500


@dataclass(frozen=True)
class ShownStudy:
    """A measured study.

    Attributes:
        key: The study's UID or file name.
        label: Patient, date and description; no other study of the scene has the same.
        patient: Patient ID; without one the patient's name, or the study's file name.
        date: Date of the study, ``YYYY-MM-DD``; empty if it is not known.
        eid: UK Biobank's participant number; empty for other studies.
        instance: UK Biobank's imaging visit; empty for other studies.
        measurements: Group by group, then the direct ones and those of labels; empty if an earlier
            version measured the study, or if the scene is damaged.
        flags: Codes of the study's findings and of its measurements.
        findings: Each with the fields of the engine's ``Finding``.
    """

    key: str
    label: str
    patient: str
    date: str
    eid: str
    instance: str
    measurements: tuple[ShownMeasurement, ...]
    flags: tuple[str, ...]
    findings: tuple[Mapping[str, Any], ...] = ()


def shown_studies(scene: Any) -> Iterator[ShownStudy]:
    """Yield the measured studies of a scene, in the order of their first measurement."""
    shown = (_shown(index) for index in all_indices(scene))
    return (study for study in shown if study is not None)


def shown_study(scene: Any, key: str) -> Optional[ShownStudy]:
    """Return a measured study.

    Returns:
        None without a table of measurements.
    """
    index = find_index(scene, key)
    return None if index is None else _shown(index)


def _shown(index: Any) -> Optional[ShownStudy]:
    table = next(iter(referenced(index, MEASUREMENTS)), None)
    if table is None:
        return None
    key, subject = unquote(index.GetAttribute(STUDY_MARK)), read_subject(index)
    eid, instance, flags, measurements = _content(packed_result(table))
    return ShownStudy(
        key=key,
        label=index.GetAttribute(LABEL_MARK) or key,
        patient=subject.patient_id or subject.patient or key,
        date=subject.date,
        eid=eid,
        instance=instance,
        measurements=measurements,
        flags=flags,
        findings=tuple(findings_of(table)),
    )


@lru_cache(maxsize=MAX_UNPACKED)
def _content(packed: str) -> Content:
    """Return what tables need of a kept result."""
    kept = unpacked_result(packed)
    if kept is None:
        return "", "", (), ()
    result = kept.result
    return result.eid, result.instance, result.flags, tuple(shown_measurements(result))
