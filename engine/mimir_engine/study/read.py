"""Read one study, from its files to its stations."""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.assemble import REQUIRED_CONTRASTS, assemble
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.finding import Finding
from mimir_engine.study.pixels import load_slices
from mimir_engine.study.slices import read_slices
from mimir_engine.study.source import StudySource, check_study_size, open_source
from mimir_engine.study.source_name import source_name, uk_biobank_ids
from mimir_engine.study.station import Station
from mimir_engine.study.station_plan import StationPlan


def read_study(source: StudySource, name: Optional[str] = None) -> DixonStudy:
    """Read one neck-to-knee Dixon study.

    Examples:
        >>> study = read_study("6000000_20201_2_0.zip")
        >>> len(study.stations), study.stations[0].water.shape, study.scanner.field_strength_t
        (6, (64, 168, 224), 1.5)

    Args:
        source: A zip archive, a folder (searched recursively), or the paths of its DICOM files.
        name: Name of the study; by default that of the archive or folder, or else the study's UID.

    Raises:
        MimirError: The study cannot be read correctly; see ``docs/errors.md`` for the codes.
    """
    with open_source(source) as files:
        entries = [entry for entry, _ in files.with_first_bytes()]
        if not entries:
            raise MimirError(
                "NO_DICOM", "the source contains no files", "Fetch the complete study."
            )
        slices = read_slices(entries, REQUIRED_CONTRASTS)
        check_study_size({id(s.entry): s.entry for s in slices}.values())
        plans, findings = assemble(slices)
        stations = tuple(load_station(plan) for plan in plans)
    findings += [
        Finding(
            "SLICE_REPEATED",
            f"series '{kept.description}' contains the slice at z = {kept.position_mm[2]:.1f} mm"
            " twice with the same pixels; one was left out",
        )
        for plan in plans
        for kept, _ in plan.twins
    ]
    first = slices[0]
    name = name or source_name(source) or first.study_uid
    eid, instance = uk_biobank_ids(source_name(source) or name)
    return DixonStudy(name, stations, first.scanner, eid, instance, tuple(findings))


def load_station(plan: StationPlan) -> Station:
    """Read the pixels of one station; refuse two slices at one position that differ."""
    for kept, twin in plan.twins:
        if not np.array_equal(*load_slices([kept, twin])):
            raise MimirError(
                "SLICE_AMBIGUOUS",
                f"series '{kept.description}' contains two different slices"
                f" at z = {kept.position_mm[2]:.1f} mm",
                "Remove the wrong one.",
            )
    images = {
        contrast: load_slices(crop.slices)[:, crop.rows, crop.columns]
        for contrast, crop in plan.crops.items()
    }
    return Station(images, plan.affine)
