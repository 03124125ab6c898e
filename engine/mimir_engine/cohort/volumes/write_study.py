"""Read, check and stitch one study, and write its volumes to an output folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Optional

import mimir_engine
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.volumes.label_copy import copy_labels
from mimir_engine.cohort.volumes.study_files import StudyFiles
from mimir_engine.cohort.volumes.study_volumes import (
    MEASURED,
    PHASES,
    measured_pieces,
    station_pieces,
    stitched_piece,
)
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.volume_names import STATIONS
from mimir_engine.cohort.volumes.written_study import WrittenStudy
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.leftovers import temporary_folder
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.volume_files.sidecar import Sidecar, sidecar_of
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.measuring.one_study import exchanged_back, read_and_check, with_checks
from mimir_engine.study import DixonStudy
from mimir_engine.study.finding import NOTE, Finding, refuse_stopped
from mimir_engine.study.phase_stations import ContrastStations
from mimir_engine.study.read import OpenedStudy, open_study
from mimir_engine.study.read_options import ReadOptions


def write_study(
    source: NamedSource,
    reading: ReadOptions,
    output: Path,
    layout: VolumeLayout,
    has_identifiers: bool,
) -> WrittenStudy:
    """Write the volumes of one study; all of them appear together, or none.

    Args:
        source: The study.
        reading: How it is read.
        output: The output folder.
        layout: Which volumes, and where they lie in it.
        has_identifiers: Describe them with the month of the scan.

    Raises:
        MimirError: if the study cannot be read or stitched, or a check stops it;
            ``CHANNEL_MISSING`` if nnU-Net would lack a channel; ``STATIONS_UNKNOWN`` if volumes
            have no stations; as `copy_labels`; ``EXTRA_MISSING``; ``OUTPUT_UNWRITABLE``.
    """
    with _scratch_in(output) as scratch, _opened(source, reading) as opened:
        files = StudyFiles(scratch, source.name, layout)
        study = _write_volumes(source, reading, layout, opened, files)
        names = copy_labels(source.labels, files) if layout.has_labels else {}
        findings = tuple(replace(f, sentence=source.shown(f.sentence)) for f in study.findings)
        spacings = tuple(grid.spacing_mm for grid in files.grids)
        ends_cut = layout.arrangement != STATIONS and _are_ends_cut(source)
        sidecar = Sidecar(
            source.name,
            mimir_engine.__version__,
            study.scanner,
            max(len(study.stations), 1),
            ends_cut,
            files.volumes,
            spacings[0] if len({*spacings}) == 1 else None,
            findings,
            study.month if has_identifiers else "",
        )
        files.publish(output, sidecar)
    edges = [edge for grid in files.grids for edge in grid.edges_mm]
    return WrittenStudy(
        study.eid,
        study.instance,
        files.volumes,
        files.left_out,
        tuple(grid.shape for grid in files.grids),
        spacings,
        max(edges) - min(edges),
        ends_cut,
        findings,
        files.sizes,
        names,
    )


@contextmanager
def _scratch_in(output: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        with output_errors(output):
            scratch = stack.enter_context(temporary_folder(output))
        yield scratch


@contextmanager
def _opened(source: NamedSource, reading: ReadOptions) -> Iterator[Optional[OpenedStudy]]:
    """Open a scan; give None for volumes that were stitched before."""
    place = source.source
    if isinstance(place, (FusedFolder, VolumePair)):
        yield None
    else:
        with open_study(place, source.name, reading.reconstruction) as opened:
            yield opened


def _write_volumes(
    source: NamedSource,
    reading: ReadOptions,
    layout: VolumeLayout,
    opened: Optional[OpenedStudy],
    files: StudyFiles,
) -> DixonStudy:
    """Write one contrast after the other; return the study with all its findings."""
    is_stitched = layout.arrangement != STATIONS
    if opened is None and not is_stitched:
        raise MimirError(
            "STATIONS_UNKNOWN",
            "these volumes are stitched, and their stations are not known",
            "Give the scan itself, or another --layout.",
        )
    study, fused = _checked(source, reading, opened)
    refuse_stopped(study.findings)
    pieces = measured_pieces(fused, layout.wanted)
    if not is_stitched:
        names = [name for name in layout.wanted if name in MEASURED]
        pieces = (piece for name in names for piece in station_pieces(name, study.stations))
    for piece in pieces:
        files.write(piece)
    places = fused.layout
    del fused, pieces
    notes: list[Finding] = []
    for name in (name for name in layout.wanted if name in PHASES):
        read = _phase(name, opened)
        notes += read.findings
        if read.stations and is_stitched and places:
            files.write(stitched_piece(name, places, read.stations))
        elif read.stations:
            for piece in station_pieces(name, read.stations):
                files.write(piece)
        elif layout.is_strict:
            raise _channel_missing(name, read.findings)
    return replace(study, findings=tuple(dict.fromkeys((*study.findings, *notes))))


def _checked(
    source: NamedSource, reading: ReadOptions, opened: Optional[OpenedStudy]
) -> tuple[DixonStudy, FusedVolumes]:
    """Stitch and check a study; its findings say what the checks found."""
    if opened is None:
        return read_and_check(source.source, source.name, reading)
    study = exchanged_back(opened.study) if reading.swap_repair else opened.study
    fused = fuse(study.stations)
    return with_checks(study, fused), fused


def _phase(name: str, opened: Optional[OpenedStudy]) -> ContrastStations:
    """Read another contrast of all stations."""
    if opened is not None:
        return opened.contrast_stations(PHASES[name])
    sentence = f"{PHASES[name].value} is left out: only water and fat are read from volumes"
    return ContrastStations((), (Finding("CONTRAST_LEFT_OUT", sentence, NOTE),))


def _channel_missing(name: str, findings: tuple[Finding, ...]) -> MimirError:
    what = "; ".join(finding.sentence for finding in findings)
    return MimirError(
        "CHANNEL_MISSING",
        f"nnU-Net would lack the channel {name}: {what}",
        "Get the complete study, or leave the channel out of --contrasts.",
    )


def _are_ends_cut(source: NamedSource) -> bool:
    """Return whether stitched volumes lack the outermost slices, as MIMIR's own do."""
    if not isinstance(source.source, VolumePair):
        return True
    sidecar = sidecar_of(source.source.water)
    return sidecar is not None and sidecar.ends_cut
