"""Scan many studies: list what each contains, and whether it would be refused, without pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.cohort.study_loop import StudyWork, read_ahead
from mimir_engine.errors import MimirError
from mimir_engine.fusion.check_ranges import check_ranges
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.headers.contrast import Contrast
from mimir_engine.source.passed_over import PassedOver, joined
from mimir_engine.study.reconstruction import NORMALISED
from mimir_engine.study.scan import StudyScan, scan_study

#: Names listed of what was passed over for one reason in one study; further ones are summed up.
MAX_NAMES = 20


def scan_studies(
    sources: Iterable[NamedSource],
    listener: Listener,
    jobs: int = 1,
    reconstruction: str = NORMALISED,
) -> int:
    """Scan studies one after the other; one that would be refused does not stop the others.

    Args:
        sources: Studies, of different names.
        listener: Receives an event ``scan`` for each study, in the order of the sources.
        jobs: Studies read at once.
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.

    Returns:
        Number of studies that would be refused.
    """
    studies, refused = list(sources), 0
    work = StudyWork(lambda source: scan_source(source, reconstruction), finish=lambda batch: ())
    with closing(read_ahead(studies, work, lambda event: None, jobs)) as scanned:
        for done, study in enumerate(scanned, start=1):
            event = _event(study.name, study.content)
            refused += event["state"] == "refused"
            listener({**event, "done": done, "total": len(studies)})
    return refused


def scan_source(source: NamedSource, reconstruction: str = NORMALISED) -> StudyScan:
    """Scan one study, and check that its stations touch."""
    if isinstance(source.source, FusedFolder):
        raise MimirError(
            "SOURCES_INVALID",
            "fused volumes have no headers to scan",
            "Give the archive, folder or files of the study.",
        )
    scan = scan_study(source.source, source.name, reconstruction)
    if scan.error is not None:
        error = scan.error
        shown = MimirError(error.code, source.shown(error.what), error.remedy)
        return replace(scan, error=shown)
    try:
        check_ranges([(s.from_mm, s.to_mm, s.slices[Contrast.WATER]) for s in scan.stations])
    except MimirError as error:
        return replace(scan, error=error)
    return scan


def _event(name: str, scan: Any) -> dict[str, Any]:
    """Return the event of a study: a ``StudyScan``, or a ``StudyFailure``."""
    if isinstance(scan, StudyFailure):
        failure = {"state": "refused", "code": scan.code, "reason": scan.reason}
        return {"event": "scan", "name": name, **failure, **_contents(StudyScan(name))}
    state = {"state": "readable", "code": "", "reason": ""}
    if scan.error is not None:
        state = {"state": "refused", "code": scan.error.code, "reason": scan.error.reason}
    return {"event": "scan", "name": name, **state, **_contents(scan)}


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
