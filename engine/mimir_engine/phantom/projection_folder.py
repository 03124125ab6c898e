"""Folders of phantom projections with their true measurements, for training.

Phantoms of population 2 are scanned: the folder also tells what each scan is like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.checks import check_study
from mimir_engine.checks.scan_numbers import scan_numbers
from mimir_engine.cohort.images.growing_array import GrowingArray, stored_shape
from mimir_engine.cohort.images.image_folder import (
    IMAGES,
    TARGETS,
    StudyId,
    TargetDefinition,
    describe_folder,
)
from mimir_engine.cohort.scanners.scan_number_table import (
    SCAN_NUMBERS_FILE,
    ScanRow,
    append_scan_numbers,
    keep_rows,
)
from mimir_engine.errors import MimirError
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.fusion.fuse import fuse
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import TRUTHS
from mimir_engine.phantom.dicom_study import study_name
from mimir_engine.phantom.population import POPULATIONS, draw_person
from mimir_engine.phantom.render_projection import render_projection
from mimir_engine.phantom.scan import make_scan, stations_of
from mimir_engine.phantom.shift import Shift, drawn_shift, find_shift, shifted_person
from mimir_engine.projection.project import IMAGE_SHAPE, project
from mimir_engine.source.source_name import uk_biobank_ids

#: Image, uint8 ``(3, 256, 256)``, truth, float32 ``(targets,)``, and numbers of a scan of stations.
Made = tuple[np.ndarray, np.ndarray, Optional[ScanRow]]
#: Phantoms that a worker makes before they are written: what a kill can lose.
CHUNK = 5


def write_projections(
    folder: Path,
    seeds: range,
    processes: int = 1,
    progress: Optional[Callable[[int, int], None]] = None,
    shift: str = "none",
    size: float = 1.0,
    population: int = 1,
) -> None:
    """Make the phantoms with these seeds; write their projections and truth as an image folder.

    Args:
        folder: Made if absent; see `cohort.images.image_folder`. A killed run is resumed.
        seeds: Seed of each row.
        processes: Worker processes; 1 works in this one.
        progress: Called with (phantoms done, phantoms in all) now and then.
        shift: Name of the difference from the population and the scanner of training.
        size: Size of that difference.
        population: 1, projected in closed form, or 2, rendered and fused.

    Raises:
        MimirError: ``PHANTOM_FOLDER`` if the folder holds anything else, ``SHIFT_UNKNOWN``,
            ``OUTPUT_IN_USE``, ``OUTPUT_UNWRITABLE``, ``WORKER_DIED``.
    """
    if population == 1:
        render = partial(_render, shift=find_shift(shift, size))
    else:
        drawn_shift(shift, size, seeds[0])
        render = partial(_scan, shift=shift, size=size)
    provenance = {
        "population": POPULATIONS[population],
        "phantoms": len(seeds),
        "first_seed": seeds[0],
        "last_seed": seeds[-1],
        **({} if shift == "none" else {"shift": shift}),
        **({} if shift == "none" or size == 1.0 else {"shift_size": size}),
    }
    names = [study_name(seed) for seed in seeds]
    studies = [StudyId(name, *uk_biobank_ids(name)) for name in names]
    sex = TargetDefinition("sex", "", kind="class", non_negative=False)
    definitions = [
        sex if name == sex.name else TargetDefinition(name, unit) for name, unit in TRUTHS.items()
    ]
    with ExitStack() as stack:
        stack.enter_context(folder_lock(folder))
        if not describe_folder(folder, studies, definitions, provenance):
            raise MimirError(
                "PHANTOM_FOLDER",
                f"{folder} holds projections of other phantoms or of an earlier version",
                "Choose another folder.",
            )
        done = min(stored_shape(folder / name)[0] for name in (IMAGES, TARGETS))
        numbers = folder / SCAN_NUMBERS_FILE
        if population == 2:
            done = keep_rows(numbers, done)
        chunks = [seeds[first : first + CHUNK] for first in range(done, len(seeds), CHUNK)]
        images = stack.enter_context(GrowingArray(folder / IMAGES, IMAGE_SHAPE, done))
        truths = GrowingArray(folder / TARGETS, (len(TRUTHS),), done, np.float32)
        targets = stack.enter_context(truths)
        made: Iterator[list[Made]] = map(render, chunks)
        if processes > 1:
            pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
            stack.callback(pool.shutdown, cancel_futures=True)
            made = pool.map(render, chunks)
        try:
            for phantoms in made:
                for image, truth, _ in phantoms:
                    images.append(image)
                    targets.append(truth)
                rows = [row for _, _, row in phantoms if row is not None]
                if rows:
                    append_scan_numbers(numbers, rows)
                if progress is not None:
                    progress(targets.rows, len(seeds))
        except BrokenProcessPool as error:
            raise MimirError(
                "WORKER_DIED",
                "a process that made phantoms was ended, perhaps for want of memory",
                "Run the same command again to continue, with fewer --jobs.",
            ) from error


def _scan(seeds: range, shift: str, size: float) -> list[Made]:
    """Make some phantoms of population 2 by scanning them."""
    made: list[Made] = []
    for seed in seeds:
        scan = make_scan(seed, shift=shift, size=size)
        truth = np.array(list(scan.truths()[0].values()), np.float32)
        stations = stations_of(scan)
        fused = fuse(stations)
        findings = [finding.code for finding in check_study(stations, fused)]
        row = ScanRow(study_name(seed), findings, scan_numbers(stations, fused))
        made.append((project(fused).image, truth, row))
    return made


def _render(seeds: range, shift: Shift) -> list[Made]:
    """Make some phantoms in closed form."""
    made: list[Made] = []
    for seed in seeds:
        body = build_body(shifted_person(draw_person(seed), shift))
        truth = np.array(list(body.truth().values()), np.float32)
        made.append((render_projection(seed, body, shift), truth, None))
    return made
