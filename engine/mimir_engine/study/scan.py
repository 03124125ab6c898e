"""List what a source contains before anything is measured: stations, findings, what is not used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.scanner import Scanner
from mimir_engine.headers.slices import PHASE_CONTRASTS, Companion, Headers
from mimir_engine.source.open_source import StudySource, open_source
from mimir_engine.source.passed_over import PassedOver, joined
from mimir_engine.source.source_name import source_name
from mimir_engine.study.assemble import assemble
from mimir_engine.study.finding import Finding
from mimir_engine.study.read import headers_of
from mimir_engine.study.reconstruction import NORMALISED
from mimir_engine.study.stack import SAME_STATION_OVERLAP
from mimir_engine.study.station_plan import StationPlan


@dataclass(frozen=True)
class StationScan:
    """One table position, according to the headers.

    Attributes:
        from_mm: End nearest the feet, z in LPS, slice thickness included.
        to_mm: End nearest the head.
        slices: Number of slices of each contrast; in-phase and opposed-phase only where they are
            there.
    """

    from_mm: float
    to_mm: float
    slices: Mapping[Contrast, int]


@dataclass(frozen=True)
class StudyScan:
    """What a source contains, according to the headers alone.

    Attributes:
        name: File name, folder name or study UID; never the patient's name.
        study_uid: Study Instance UID; empty if unknown.
        stations: From head to foot; empty if the study is refused.
        scanner: Vendor, model and field strength.
        findings: What would be corrected or noticed while reading.
        passed_over: Files and series that would not be used.
        error: Why the study would be refused; None if it can be read. Pixels are not read, so
            damaged ones, and copies of a slice that differ, are not noticed.
    """

    name: str
    study_uid: str = ""
    stations: tuple[StationScan, ...] = ()
    scanner: Scanner = field(default_factory=Scanner)
    findings: tuple[Finding, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    error: Optional[MimirError] = None


def scan_study(
    source: StudySource, name: Optional[str] = None, reconstruction: str = NORMALISED
) -> StudyScan:
    """List what a source contains; reads headers, no pixels.

    Args:
        source: An archive, a folder (searched recursively), or the paths of files and archives.
        name: Name of the study; by default that of the archive or folder, or else the study's UID.
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.
    """
    name = name or source_name(source)
    headers = Headers()
    try:
        with open_source(source) as files:
            headers = headers_of(files)
            assembly = assemble(headers, reconstruction)
    except MimirError as error:
        return _scanned(headers, name, error=error)
    stations = tuple(_station(plan, headers.companions) for plan in assembly.plans)
    return _scanned(headers, name, stations, tuple(assembly.findings))


def _scanned(
    headers: Headers,
    name: str,
    stations: tuple[StationScan, ...] = (),
    findings: tuple[Finding, ...] = (),
    error: Optional[MimirError] = None,
) -> StudyScan:
    series = next((s.series for s in headers.slices), None)
    study_uid = series.study_uid if series else ""
    return StudyScan(
        name or study_uid,
        study_uid,
        stations,
        series.scanner if series else Scanner(),
        findings,
        joined(headers.passed_over),
        error,
    )


def _station(plan: StationPlan, companions: Iterable[Companion]) -> StationScan:
    """Describe a station; the other contrasts are those at the places of its water slices."""
    slices = {contrast: len(crop.slices) for contrast, crop in plan.crops.items()}
    places = {round(s.position_mm[2], 1) for s in plan.crops[Contrast.WATER].slices}
    for contrast in PHASE_CONTRASTS:
        found = {round(c.z_mm, 1) for c in companions if c.series.contrast is contrast}
        shared = len(found & places)
        if shared > SAME_STATION_OVERLAP * len(places):  # not a neighbour's
            slices[contrast] = shared
    step, first = plan.affine[2, 2], plan.affine[2, 3]
    from_mm, to_mm = first - step / 2, first + (slices[Contrast.WATER] - 0.5) * step
    return StationScan(round(float(from_mm), 3), round(float(to_mm), 3), slices)
