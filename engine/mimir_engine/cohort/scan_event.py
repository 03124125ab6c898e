"""Describe one study without measuring it, as the event ``scan``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.errors import MimirError
from mimir_engine.fusion.check_ranges import check_ranges
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.headers.contrast import Contrast
from mimir_engine.source.passed_over import PassedOver, joined
from mimir_engine.study.scan import StudyScan, scan_study

#: Names listed of what was passed over for one reason in one study; further ones are summed up.
MAX_NAMES = 20


def scan_event(source: NamedSource, reconstruction: str) -> dict[str, Any]:
    """Scan one study, check that its stations touch, and return its event.

    Raises:
        MimirError: ``SOURCES_INVALID`` for volumes, which have no headers.
    """
    scan = _scanned(source, reconstruction)
    state = {"state": "readable", "code": "", "reason": ""}
    if scan.error is not None:
        state = {"state": "refused", "code": scan.error.code, "reason": scan.error.reason}
    return {"event": "scan", "name": source.name, **state, **_contents(scan)}


def failed_scan(failure: StudyFailure) -> dict[str, Any]:
    """Return the event of a study that could not be scanned."""
    state = {"state": "refused", "code": failure.code, "reason": failure.reason}
    return {"event": "scan", "name": failure.name, **state, **_contents(StudyScan(failure.name))}


def _scanned(source: NamedSource, reconstruction: str) -> StudyScan:
    if isinstance(source.source, (FusedFolder, VolumePair)):
        raise MimirError(
            "SOURCES_INVALID",
            "volumes have no headers to scan",
            "Give the archive, folder or files of the study, or use `mimir check`.",
        )
    scan = scan_study(source.source, source.name, reconstruction)
    if scan.error is not None:
        return scan
    try:
        check_ranges([(s.from_mm, s.to_mm, s.slices[Contrast.WATER]) for s in scan.stations])
    except MimirError as error:
        return replace(scan, error=error)
    return scan


def _contents(scan: StudyScan) -> dict[str, Any]:
    return {
        "study_uid": scan.study_uid,
        "scanner": asdict(scan.scanner),
        "stations": [
            {
                "from_mm": station.from_mm,
                "to_mm": station.to_mm,
                "slices": {contrast.value: count for contrast, count in station.slices.items()},
            }
            for station in scan.stations
        ],
        "findings": [asdict(finding) for finding in scan.findings],
        "passed_over": [asdict(one) for one in _shortened(scan.passed_over)],
    }


def _shortened(passed_over: Sequence[PassedOver]) -> tuple[PassedOver, ...]:
    """Return at most ``MAX_NAMES`` names for each reason, and the others as one entry."""
    count: Counter[str] = Counter()
    shortened = []
    for one in passed_over:
        count[one.reason] += 1
        shortened.append(one if count[one.reason] <= MAX_NAMES else replace(one, name="others"))
    return joined(shortened)
