"""List what a source contains before anything is measured: stations, findings, what is not used."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.study.assemble import REQUIRED_CONTRASTS, assemble
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.dixon_study import Scanner
from mimir_engine.study.finding import Finding
from mimir_engine.study.frames import read_frames
from mimir_engine.study.passed_over import PassedOver, joined
from mimir_engine.study.slices import Slice, read_slices
from mimir_engine.study.source import Entry, StudySource, open_source
from mimir_engine.study.source_name import source_name
from mimir_engine.study.stack import SAME_STATION_OVERLAP
from mimir_engine.study.station_plan import StationPlan

#: Contrasts that are listed, but not needed to measure.
PHASE_CONTRASTS = (Contrast.IN_PHASE, Contrast.OPPOSED_PHASE)


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


def scan_study(source: StudySource, name: Optional[str] = None) -> StudyScan:
    """List what a source contains; reads headers, no pixels.

    Args:
        source: A zip archive, a folder (searched recursively), or the paths of DICOM files.
        name: Name of the study; by default that of the archive or folder, or else the study's UID.
    """
    name = name or source_name(source)
    try:
        with open_source(source) as entries:
            return _scan(entries, name)
    except MimirError as error:
        return StudyScan(name, error=error)


def _scan(entries: Sequence[Entry], name: str) -> StudyScan:
    if not entries:
        error = MimirError("NO_DICOM", "the source contains no files", "Fetch the complete study.")
        return StudyScan(name, error=error)
    slices = read_slices(entries, REQUIRED_CONTRASTS)
    others = _phase_images(entries)
    passed_over = tuple(joined(_passed_over(entries, {id(s.entry) for s in [*slices, *others]})))
    study_uid = next((s.study_uid for s in slices), "")
    try:
        plans, findings = assemble(slices)
    except MimirError as error:
        return StudyScan(name or study_uid, study_uid, passed_over=passed_over, error=error)
    return StudyScan(
        name or study_uid,
        study_uid,
        tuple(_station(plan, others) for plan in plans),
        slices[0].scanner,
        tuple(findings),
        passed_over,
    )


def _phase_images(entries: Sequence[Entry]) -> Sequence[Slice]:
    """Return in-phase and opposed-phase slices; none if their headers are damaged."""
    try:
        return read_slices(entries, PHASE_CONTRASTS)
    except MimirError:
        return ()


def _passed_over(entries: Iterable[Entry], used: Container[int]) -> Iterator[PassedOver]:
    for entry in entries:
        if id(entry) not in used:
            frame = next(read_frames(entry), None)
            if frame is None:
                yield PassedOver(entry.name, "not an MR image")
            else:
                description = str(frame.tags.get("SeriesDescription", ""))
                yield PassedOver(description or "series without a name", "not a Dixon contrast")


def _station(plan: StationPlan, others: Iterable[Slice]) -> StationScan:
    """Describe a station; the other contrasts are those at the places of its water slices."""
    places = {
        contrast: {s.position_mm[2] for s in crop.slices} for contrast, crop in plan.crops.items()
    }
    slices = {contrast: len(found) for contrast, found in places.items()}
    for contrast in PHASE_CONTRASTS:
        found = {s.position_mm[2] for s in others if s.contrast is contrast}
        shared = found & places[Contrast.WATER]
        if len(shared) > SAME_STATION_OVERLAP * len(places[Contrast.WATER]):  # not a neighbour's
            slices[contrast] = len(shared)
    step, first = plan.affine[2, 2], plan.affine[2, 3]
    from_mm, to_mm = first - step / 2, first + (slices[Contrast.WATER] - 0.5) * step
    return StationScan(round(float(from_mm), 3), round(float(to_mm), 3), slices)
