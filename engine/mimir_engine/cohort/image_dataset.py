"""Make the images of many studies once: the data set that networks are trained on.

The folder holds

* ``images.npy``: uint8 ``(rows, 3, 256, 256)``;
* ``studies.csv``: each study's row and name, its stations and head-foot extent, hashes of its
  files and its image, and its findings, such as a station that may be missing;
* ``scan_numbers.csv``: what each scan is like; see ``scan_number_table``;
* ``failures.csv``: the studies without an image, and the reasons;
* ``ledger.jsonl``: the outcomes in the order in which they came, so that a run can be resumed.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

import mimir_engine
from mimir_engine.cohort.chosen_sources import choose_sources
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.images.growing_array import GrowingArray
from mimir_engine.cohort.images.image_folder import (
    HASH_COLUMN,
    IMAGES,
    STUDIES,
    STUDY_COLUMNS,
    image_sha256,
)
from mimir_engine.cohort.inclusion.chosen_studies import ALL_STUDIES, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.pending_studies import pending_studies
from mimir_engine.cohort.reader_calls import FUNCTIONS, prepare_in_reader
from mimir_engine.cohort.scanners.scan_number_table import (
    SCAN_NUMBERS_FILE,
    ScanRow,
    write_scan_numbers,
)
from mimir_engine.cohort.shards.shard import WHOLE, Shard
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import write_failures
from mimir_engine.cohort.study_loop import StudyDone, StudyWork, run_studies, tell_damage
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import to_json
from mimir_engine.measuring.one_study import PreparedStudy
from mimir_engine.measuring.stored_fields import numbers_by_name
from mimir_engine.projection.project import IMAGE_SHAPE, PROJECTION_NAME
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import AS_STORED, ReadOptions
from mimir_engine.study.reconstruction import NORMALISED

COLUMNS = (*STUDY_COLUMNS, "stations", "extent_mm", "files", HASH_COLUMN, "findings", "made_by")


def project_studies(
    sources: Sequence[NamedSource],
    folder: Path,
    listener: Listener,
    jobs: int = 2,
    overwrite: bool = False,
    reading: ReadOptions = AS_STORED,
    limits: ReaderLimits = DEFAULT_LIMITS,
    choice: StudyChoice = ALL_STUDIES,
    persons: PersonRule = FROM_NAMES,
    shard: Shard = WHOLE,
) -> tuple[int, int]:
    """Make the images of studies, or add them to a folder of images.

    Unchanged studies that have their image are skipped; failed ones are tried again. The image of a
    changed study, or of one whose image is damaged, is added after the others, so that a stopped
    run cannot mix the two.

    Args:
        sources: Studies, of different names.
        folder: Made if it does not exist.
        listener: Receives every event; see ``mimir_engine.cohort.events``.
        jobs: Studies read at once, each in a process of its own; each needs about 250 MB.
        overwrite: Start again in a folder that holds images.
        reading: How studies are read.
        limits: What reading one study may take.
        choice: Lists of studies to leave out and to project; excluded ones are in no table, even if
            the folder holds their images.
        persons: How persons in these lists are known.
        shard: The part of the studies to project.

    Returns:
        Numbers of studies in the folder with an image and without.

    Raises:
        MimirError: for the folder; never for a single study.
    """
    # Another projection or reconstruction is another data set; all else stands beside the image.
    run: dict[str, Any] = {"projections": PROJECTION_NAME}
    if reading.reconstruction != NORMALISED:  # folders of earlier versions do not name it
        run["reconstruction"] = reading.reconstruction
    if reading.site is not None:
        run["site"] = to_json(reading.site)
    with Ledger(folder, run, overwrite, _is_entry) as ledger, Readers(FUNCTIONS, limits) as readers:
        tell_damage(ledger, listener)
        rows = 1 + max((entry["row"] for _, entry in ledger.done()), default=-1)
        has_damage = ledger.damaged_lines > 0
        sources, *_ = choose_sources(sources, ledger, choice, persons, listener)
        sources = shard.of(sources)
        if overwrite:
            _remove(folder / IMAGES)
        with GrowingArray(folder / IMAGES, IMAGE_SHAPE, rows, may_cut=has_damage) as images:
            pending = pending_studies(sources, ledger, limits, partial(_is_intact, images=images))
            ledger.begin(len(sources), len(pending))
            already_done = len(sources) - len(pending)
            listener({"event": "run", "studies": len(sources), "already_done": already_done})
            if pending:  # an earlier table must not name rows that are written again
                _remove(folder / STUDIES)
            work: StudyWork[PreparedStudy] = StudyWork(
                read=lambda source: prepare_in_reader(readers, source, reading),
                finish=lambda studies: (_append(study, images) for study in studies),
                limits=limits,
                in_order=True,
            )
            run_studies(pending, ledger, work, listener, jobs)
        return _write_tables(folder, ledger)


def _remove(path: Path) -> None:
    with output_errors(path):
        path.unlink(missing_ok=True)


def _is_entry(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry has the fields that the table and later runs need."""
    texts = (entry["eid"], entry["instance"], entry[HASH_COLUMN], *entry["findings"])
    numbers_by_name(entry.get("numbers", {}))  # entries of earlier versions have none
    is_row = type(entry["row"]) is int and entry["row"] >= 0
    return is_row and "files" in entry and all(type(text) is str for text in texts)


def _is_intact(entry: Mapping[str, Any], images: GrowingArray) -> bool:
    """Return whether a study's image is the one that was written."""
    return image_sha256(images.read(entry["row"])) == str(entry[HASH_COLUMN])


def _append(prepared: PreparedStudy, images: GrowingArray) -> StudyDone:
    """Write a study's image; the ledger names its row only afterwards."""
    study, image = prepared.study, prepared.projection.image
    findings = list(dict.fromkeys(finding.code for finding in study.findings))
    entry = {
        "row": images.append(image),
        "eid": study.eid,
        "instance": study.instance,
        "stations": len(study.contrasts),
        "extent_mm": round(prepared.extent_mm),
        HASH_COLUMN: image_sha256(image),
        "findings": findings,
        "numbers": dict(prepared.numbers),
        "scanner": study.scanner.shown,
        "month": study.month,
        "made_by": f"mimir {mimir_engine.__version__}, numpy {np.__version__},"
        f" pydicom {pydicom.__version__}, python {platform.python_version()}",
    }
    return StudyDone(entry, findings)


def _write_tables(folder: Path, ledger: Ledger) -> tuple[int, int]:
    failures, studies = list(ledger.failures()), []
    for _, entry in ledger.done():
        # Entries of earlier versions have neither stations nor extent: their cells stay empty.
        texts = {"files": entry["files"]["content"], "findings": ";".join(entry["findings"])}
        studies.append([{**entry, **texts}.get(column, "") for column in COLUMNS])
    write_failures(folder, failures)
    write_csv(folder / STUDIES, COLUMNS, studies)
    # Entries of earlier versions have neither numbers nor scanner.
    rows = (
        ScanRow(
            *(name, e["findings"], e.get("numbers", {})),
            *(str(e.get(key, "")) for key in ("scanner", "month")),
        )
        for name, e in ledger.done()
    )
    write_scan_numbers(folder / SCAN_NUMBERS_FILE, rows)
    return len(studies), len(failures)
