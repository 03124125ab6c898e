"""Read, check and stitch one study, and write its volumes to an output folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import mimir_engine
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.volumes.arrangements import STATIONS
from mimir_engine.cohort.volumes.label_copy import copy_labels
from mimir_engine.cohort.volumes.study_files import StudyFiles
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.written_study import WrittenStudy
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.leftovers import temporary_folder
from mimir_engine.fusion.volume_files.sidecar import Sidecar
from mimir_engine.measuring.study_volumes import StudyVolumes, open_volumes
from mimir_engine.study.finding import Finding
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
        has_identifiers: Describe them with the month of the scan and its UIDs.

    Raises:
        MimirError: if the study cannot be read or stitched, or a check stops it;
            ``CHANNEL_MISSING`` if nnU-Net would lack a channel; ``CONTRASTS_LEFT_OUT`` if there
            is no volume to write; ``STATIONS_UNKNOWN`` if volumes have no stations; as
            `copy_labels`; ``EXTRA_MISSING``; ``OUTPUT_UNWRITABLE``.
    """
    with (
        _scratch_in(output) as scratch,
        open_volumes(source.source, source.name, reading) as opened,
    ):
        files = StudyFiles(scratch, source.name, layout)
        notes = _write_volumes(opened, layout, files)
        study = opened.study
        found = dict.fromkeys((*study.findings, *notes))
        names = copy_labels(source.labels, files) if layout.has_labels else {}
        findings = tuple(replace(f, sentence=source.shown(f.sentence)) for f in found)
        spacings = tuple(grid.spacing_mm for grid in files.grids)
        edges = [edge for grid in files.grids for edge in grid.edges_mm]
        extent_mm = max(edges) - min(edges)
        ends_cut = layout.arrangement != STATIONS
        sidecar = Sidecar(
            source.name,
            mimir_engine.__version__,
            study.scanner,
            len(study.stations),
            ends_cut,
            files.volumes,
            spacings[0] if len({*spacings}) == 1 else None,
            extent_mm,
            findings,
            study.month if has_identifiers else "",
            opened.identifiers if has_identifiers else None,
        )
        files.publish(output, sidecar)
    return WrittenStudy(
        study.eid,
        study.instance,
        files.volumes,
        files.left_out,
        tuple(grid.shape for grid in files.grids),
        spacings,
        extent_mm,
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


def _write_volumes(opened: StudyVolumes, layout: VolumeLayout, files: StudyFiles) -> list[Finding]:
    """Write one contrast after the other; return what was noticed."""
    is_stitched = layout.arrangement != STATIONS
    notes: list[Finding] = []
    for made in (opened.stitched if is_stitched else opened.of_stations)(layout.wanted):
        notes += made.findings
        if layout.is_strict and not made.volumes:
            raise _channel_missing(made.name, made.findings)
        for number, volume in enumerate(made.volumes, start=1):
            files.write(made.name, volume, None if is_stitched else number)
    if not files.volumes:
        raise MimirError("CONTRASTS_LEFT_OUT", _joined(notes), "Name other --contrasts.")
    return notes


def _channel_missing(name: str, findings: Iterable[Finding]) -> MimirError:
    return MimirError(
        "CHANNEL_MISSING",
        f"nnU-Net would lack the channel {name}: {_joined(findings)}",
        "Get the complete study, or leave the channel out of --contrasts.",
    )


def _joined(findings: Iterable[Finding]) -> str:
    return "; ".join(finding.sentence for finding in findings)
