"""Read, check and stitch one study, and write its volumes to an output folder.

They are written to a temporary folder there, and moved to their places when all of them are
complete: first the volumes, last the file that describes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
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
    Piece,
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
from mimir_engine.study.read import OpenedStudy, open_study
from mimir_engine.study.read_options import ReadOptions


def write_study(
    source: NamedSource,
    reading: ReadOptions,
    output: Path,
    layout: VolumeLayout,
    has_identifiers: bool,
) -> WrittenStudy:
    """Write the volumes of one study.

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
    is_stitched = isinstance(source.source, (FusedFolder, VolumePair))
    if is_stitched and layout.arrangement == STATIONS:
        raise MimirError(
            "STATIONS_UNKNOWN",
            "these volumes are stitched, and their stations are not known",
            "Give the scan itself, or another --layout.",
        )
    with ExitStack() as stack:
        with output_errors(output):
            scratch = stack.enter_context(temporary_folder(output))
        files = StudyFiles(scratch, source.name, layout)
        place = source.source
        opened = stack.enter_context(
            nullcontext()
            if isinstance(place, (FusedFolder, VolumePair))
            else open_study(place, source.name, reading.reconstruction)
        )
        study = _write_volumes(source, reading, layout, opened, files)
        if layout.has_labels and source.labels is not None:
            files.label_names = copy_labels(source.labels, files)
        findings = tuple(replace(f, sentence=source.shown(f.sentence)) for f in study.findings)
        ends_cut = layout.arrangement != STATIONS and _are_ends_cut(source)
        files.describe(
            Sidecar(
                source.name,
                mimir_engine.__version__,
                study.scanner,
                max(len(study.stations), 1),
                ends_cut,
                files.names,
                files.common_spacing_mm,
                findings,
                study.month if has_identifiers else "",
            )
        )
        files.publish(output)
    return WrittenStudy(
        study.eid,
        study.instance,
        files.names,
        tuple(name for name in layout.wanted if name not in files.names),
        files.shapes,
        files.spacings_mm,
        files.extent_mm,
        ends_cut,
        findings,
        files.sizes,
        files.label_names,
    )


def _write_volumes(
    source: NamedSource,
    reading: ReadOptions,
    layout: VolumeLayout,
    opened: Optional[OpenedStudy],
    files: StudyFiles,
) -> DixonStudy:
    """Write all volumes, one contrast after the other; return the study with its findings."""
    study, fused = _checked(source, reading, opened)
    refuse_stopped(study.findings)
    places = fused.layout
    for piece in _of_water_and_fat(study, fused, layout):
        files.write(piece)
        del piece
    del fused
    findings = list(study.findings)
    for name in (name for name in layout.wanted if name in PHASES):
        stations, notes = _phase_stations(name, opened)
        findings += notes
        if not stations and layout.is_strict:
            raise _channel_missing(name, notes)
        if stations and layout.arrangement == STATIONS:
            for piece in station_pieces(name, stations):
                files.write(piece)
        elif stations and places:
            files.write(stitched_piece(name, places, stations))
    return replace(study, findings=tuple(dict.fromkeys(findings)))
