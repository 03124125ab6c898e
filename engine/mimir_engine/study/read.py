"""One study, from its source to its stations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.assembly import NEEDED, assemble
from mimir_engine.study.finding import Finding
from mimir_engine.study.pixels import load_slices
from mimir_engine.study.slices import read_slices
from mimir_engine.study.source import StudySource, open_source
from mimir_engine.study.station import DixonStudy, Scanner, Station
from mimir_engine.study.water_fat_pair import StationPlan

#: UK Biobank's bulk file name: participant, field 20201, visit, array index.
_BULK_NAME = re.compile(r"^(\d{7})_20201_(\d+)_\d+$")


def read_study(source: StudySource, name: Optional[str] = None) -> DixonStudy:
    """Read one neck-to-knee Dixon study.

    Examples:
        >>> study = read_study("6000000_20201_2_0.zip")
        >>> len(study.stations), study.stations[0].water.shape, study.scanner.field_strength_t
        (6, (64, 168, 224), 1.5)

    Args:
        source: A zip archive, a folder (searched through), or the paths of its DICOM files.
        name: What to call it; by default the name of the archive or folder, or the study's UID.

    Raises:
        MimirError: with a code that says what is wrong; nothing is guessed.
    """
    with open_source(source) as entries:
        if not entries:
            raise MimirError("NO_DICOM", "the source holds no files", "Fetch the complete study.")
        slices = read_slices(entries, NEEDED)
        plans, findings = assemble(slices)
        stations = []
        for plan in plans:
            stations.append(load_station(plan))
            findings += _twin_findings(plan)
    first = slices[0]
    name = name or name_of(source) or first.study_uid
    eid, instance = bulk_name(name_of(source) or name)
    return DixonStudy(
        name,
        tuple(stations),
        Scanner(first.vendor, first.model, first.field_strength_t),
        eid,
        instance,
        tuple(findings),
    )


def name_of(source: StudySource) -> str:
    """What a study is called by its place: the archive's or folder's name, nothing for a list."""
    if not isinstance(source, (str, Path)):
        return ""
    path = Path(source)
    return path.stem if path.suffix.lower() in (".zip", ".dcm") else path.resolve().name


def bulk_name(name: str) -> tuple[str, str]:
    """Participant and visit out of UK Biobank's file name ``<eid>_20201_<instance>_0``."""
    match = _BULK_NAME.match(name)
    return (match.group(1), match.group(2)) if match else ("", "")


def load_station(plan: StationPlan) -> Station:
    """Read the pixels of one station.

    Raises:
        MimirError: ``SLICE_AMBIGUOUS`` where two slices at one position differ, and whatever
            reading pixels raises.
    """
    for kept, twin in plan.twins:
        if not np.array_equal(*load_slices([kept, twin])):
            raise MimirError(
                "SLICE_AMBIGUOUS",
                f"series '{kept.description}' holds two different slices"
                f" at z = {kept.position_mm[2]:.1f} mm",
                "Remove the wrong one.",
            )
    images = {
        contrast: load_slices(part.slices)[:, part.rows, part.columns]
        for contrast, part in plan.parts.items()
    }
    return Station(images, plan.affine)


def _twin_findings(plan: StationPlan) -> list[Finding]:
    return [
        Finding(
            "SLICE_REPEATED",
            f"series '{kept.description}' holds the slice at z = {kept.position_mm[2]:.1f} mm"
            " twice with the same pixels; one was left out",
        )
        for kept, _ in plan.twins
    ]
