"""Read one study, from its files to its stations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.acquisition_time import month_of
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.slices import Headers, read_headers
from mimir_engine.source.open_source import Entry, Files, StudySource, check_study_size, open_source
from mimir_engine.source.source_name import ANONYMOUS_NAME, source_name, uk_biobank_ids
from mimir_engine.study.assemble import Assembly, assemble
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.identifiers import Identifiers
from mimir_engine.study.phase_slices import load_phases
from mimir_engine.study.phase_stations import ContrastStations, read_phase_stations
from mimir_engine.study.pixels import (
    DecodedFiles,
    first_difference,
    load_slices,
    room_for,
)
from mimir_engine.study.reconstruction import NORMALISED
from mimir_engine.study.signal_findings import signal_findings
from mimir_engine.study.station import Station
from mimir_engine.study.station_plan import StationPlan, copies_differ


def read_study(
    source: StudySource, name: Optional[str] = None, reconstruction: str = NORMALISED
) -> DixonStudy:
    """Read one neck-to-knee Dixon study.

    Examples:
        >>> study = read_study("6000000_20201_2_0.zip")
        >>> len(study.stations), study.stations[0].water.shape, study.scanner.field_strength_t
        (6, (64, 168, 224), 1.5)

    Args:
        source: An archive, a folder (searched recursively), or the paths of files and archives.
        name: Name of the study; by default that of the archive or folder, or else the study's UID.
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.

    Raises:
        MimirError: The study cannot be read correctly; see ``docs/errors.md`` for the codes.
    """
    with open_study(source, name, reconstruction) as opened:
        return opened.study


@dataclass(frozen=True)
class OpenedStudy:
    """A study whose files are still open, so that its other contrasts can be read.

    Attributes:
        study: The study, with water and fat.
    """

    study: DixonStudy
    _assembly: Assembly

    @property
    def identifiers(self) -> Identifiers:
        """The UIDs of the study, and of the series of water and fat."""
        plans = self._assembly.plans
        series = [{c.value: crop.slices[0].series for c, crop in p.crops.items()} for p in plans]
        uids = tuple({name: one.uid for name, one in station.items()} for station in series)
        return Identifiers(next(iter(series[0].values())).study_uid, uids)

    def contrast_stations(self, contrast: Contrast) -> ContrastStations:
        """Read in-phase or opposed-phase of all stations; see ``read_phase_stations``.

        Each call reads the files again. Without references to the stations their memory is free.
        """
        assembly = self._assembly
        return read_phase_stations(
            contrast, assembly.plans, assembly.acquisitions, assembly.companions
        )


@contextmanager
def open_study(
    source: StudySource, name: Optional[str] = None, reconstruction: str = NORMALISED
) -> Iterator[OpenedStudy]:
    """Read water and fat of a study; in-phase and opposed-phase on demand, while it is open.

    Examples:
        >>> with open_study("6000000_20201_2_0.zip") as opened:
        ...     in_phase = opened.contrast_stations(Contrast.IN_PHASE)
        >>> len(in_phase.stations), in_phase.stations[0].shape, in_phase.findings
        (6, (64, 168, 224), ())

    Args and errors are those of ``read_study``.
    """
    with open_source(source) as files:
        headers = headers_of(files)
        assembly = assemble(headers, reconstruction)
        check_study_size(_entries(assembly))
        stations, findings = load_stations(assembly.plans)
        unique = (*assembly.findings, *findings)
        study = _described(source, name, headers, stations, tuple(dict.fromkeys(unique)))
        del headers, stations
        yield OpenedStudy(study, assembly)


def _described(
    source: StudySource,
    name: Optional[str],
    headers: Headers,
    stations: tuple[Station, ...],
    findings: tuple[Finding, ...],
) -> DixonStudy:
    first = headers.slices[0].series
    times = [s.acquired for s in headers.slices if s.acquired is not None]
    name = name or source_name(source) or first.study_uid
    is_anonymous = ANONYMOUS_NAME.fullmatch(name)
    eid, instance = uk_biobank_ids("" if is_anonymous else source_name(source) or name)
    return DixonStudy(
        *(name, stations, first.scanner, eid, instance, findings, first.traits),
        month="" if is_anonymous else month_of(min(times, default=None)),
    )


def headers_of(files: Files) -> Headers:
    """Read the headers of all files of a source.

    Raises:
        MimirError: ``NO_DICOM`` if there are no files, and any error of ``read_headers``.
    """
    headers = read_headers(files.with_first_bytes())
    headers.passed_over.extend(files.passed_over)
    if not headers.names and not headers.passed_over:
        raise MimirError("NO_DICOM", "the source contains no files", "Fetch the complete study.")
    return headers


def _entries(assembly: Assembly) -> Iterable[Entry]:
    crops = (crop for plan in assembly.plans for crop in plan.crops.values())
    return {id(s.entry): s.entry for crop in crops for s in crop.slices}.values()


def load_stations(
    plans: Sequence[StationPlan],
) -> tuple[tuple[Station, ...], list[Finding]]:
    """Read the pixels of all stations, from head to foot.

    Raises:
        MimirError: ``SLICE_AMBIGUOUS`` or ``STATION_AMBIGUOUS`` if slices that must be equal
            differ; any error of ``load_slices``.
    """
    stations: list[Station] = []
    findings: list[Finding] = []
    files = DecodedFiles()
    room = room_for(crop.slices for plan in plans for crop in plan.crops.values())
    for plan in plans:
        twin = first_difference(plan.twins, files)
        if twin is not None:
            raise MimirError(
                "SLICE_AMBIGUOUS",
                f"series '{twin.series.description}' contains two different slices"
                f" at z = {twin.position_mm[2]:.1f} mm",
                "Remove the wrong one.",
            )
        copy = first_difference(plan.copies, files)
        if copy is not None:
            raise copies_differ(copy)
        images = {}
        for contrast, crop in plan.crops.items():
            signal = load_slices(crop.slices, files, room)
            images[contrast] = signal.array[:, crop.rows, crop.columns]
            findings += signal_findings(signal, crop.slices[0].series.description)
        stations.append(Station(images, plan.affine, load_phases(plan)))
    return tuple(stations), _repeated_slices(plans) + findings


def _repeated_slices(plans: Iterable[StationPlan]) -> list[Finding]:
    """Report once per series how many of its slices are there twice."""
    count = Counter(kept.series.description for plan in plans for kept, _ in plan.twins)
    return [
        Finding(
            "SLICE_REPEATED",
            f"series '{description}' contains {number} images twice with the same pixels; one of"
            " each was left out",
            severity=NOTE,
        )
        for description, number in count.items()
    ]
