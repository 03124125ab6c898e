"""Projections of many studies, made once: what networks are trained on.

A folder of projections holds

* ``images.npy``: uint8 ``(rows, 3, 256, 256)``;
* ``studies.csv``: the row of each study, what it is called, and hashes of its files and its image;
* ``failures.csv``: the studies that have none, and why;
* ``ledger.jsonl``: the same as it was found out, so that a run that was killed goes on.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import pydicom

import mimir_engine
from mimir_engine.cohort.events import Clock, Listener
from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint
from mimir_engine.cohort.growing_array import GrowingArray
from mimir_engine.cohort.image_folder import IMAGE_SHAPE, IMAGES, STUDIES, STUDY_COLUMNS
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.outcome import StudyFailure, failure_of
from mimir_engine.cohort.sources import NamedSource, check_names
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.measuring.one_study import prepare
from mimir_engine.projection.project import PROJECTION_NAME

COLUMNS = (*STUDY_COLUMNS, "files", "image_sha256", "findings", "made_by")

#: Another projection is another data set; whatever else made an image stands beside it.
_RUN = {"projections": PROJECTION_NAME}


@dataclass(frozen=True)
class Projected:
    """How many studies of a folder have an image, and how many have none."""

    done: int
    failed: int


@dataclass(frozen=True, eq=False)
class _Read:
    """A study's image, or why it has none; its files as they were before that."""

    name: str
    files: Fingerprint
    eid: str = ""
    instance: str = ""
    findings: tuple[str, ...] = ()
    image: Optional[np.ndarray] = None
    failure: Optional[StudyFailure] = None


def project_studies(
    sources: Sequence[NamedSource],
    folder: Path,
    listener: Listener,
    jobs: int = 2,
    overwrite: bool = False,
) -> Projected:
    """Make the images of studies, or add them to a folder of images.

    A study that has its image, unchanged since, is not done again; a failed one is. The image of a
    study that changed is written anew behind the others, so that no kill can mix the two.

    Args:
        sources: Studies, of different names.
        folder: Made if it is not there.
        listener: Told of every study; see :mod:`mimir_engine.cohort.events`.
        jobs: Studies read at once; each takes some 400 MB while it is.
        overwrite: Start anew in a folder that holds projections.

    Raises:
        MimirError: for the folder; never for a single study.
    """
    check_names(sources)
    with Ledger(folder, _RUN, overwrite) as ledger:
        done = _done(ledger, sources)
        pending = [source for source in sources if source.name not in done]
        listener({"event": "run", "studies": len(sources), "already_done": len(done)})
        rows = max((record["row"] for _, record in ledger.records() if "row" in record), default=-1)
        clock = Clock(len(pending))
        if overwrite:
            (folder / IMAGES).unlink(missing_ok=True)
        if pending:  # a table of before must not name rows that are written anew
            (folder / STUDIES).unlink(missing_ok=True)
        with GrowingArray(folder / IMAGES, IMAGE_SHAPE, rows + 1) as images:
            for read in _ahead(pending, jobs):
                ledger.add(read.name, _record(read, images))
                listener(_event(read, clock))
        return _write_tables(folder, ledger)


def _done(ledger: Ledger, sources: Sequence[NamedSource]) -> set[str]:
    """Names of the studies that have their image.

    Raises:
        MimirError: ``NAME_TAKEN`` where another study goes by the same name.
    """
    asked = {source.name: source.source for source in sources}
    done = set()
    for name, record in ledger.records():
        if name not in asked or "row" not in record:
            continue
        now, then = fingerprint(asked[name]), Fingerprint(**record["files"])
        if now.content != then.content and now.place != then.place:
            raise MimirError(
                "NAME_TAKEN",
                f"the folder holds another study called '{name}', from '{then.place}'",
                "Choose another folder, or give it a name of its own by --sources.",
            )
        if now.content == then.content:
            done.add(name)
    return done


def _ahead(sources: Sequence[NamedSource], jobs: int) -> Iterator[_Read]:
    """Studies in their order, some of them read at once; images wait, they are small."""
    with ThreadPoolExecutor(jobs) as readers:
        try:
            yield from readers.map(_read, sources)
        finally:
            readers.shutdown(wait=False, cancel_futures=True)


def _read(source: NamedSource) -> _Read:
    files = fingerprint(source.source)
    try:
        prepared = prepare(source.source, source.name)
    except Exception as error:  # one bad study must not stop the others
        return _Read(source.name, files, failure=failure_of(source.name, error))
    study = prepared.study
    codes = tuple(dict.fromkeys(finding.code for finding in study.findings))
    image = prepared.projection.image
    return _Read(source.name, files, study.eid, study.instance, codes, image)


def _record(read: _Read, images: GrowingArray) -> dict[str, Any]:
    """What the ledger keeps of a study; its image is on the disk by then."""
    if read.image is None:
        assert read.failure is not None
        return {**asdict(read.failure), "files": asdict(read.files)}
    return {
        "row": images.append(read.image),
        "eid": read.eid,
        "instance": read.instance,
        "files": asdict(read.files),
        "image_sha256": hashlib.sha256(read.image.tobytes()).hexdigest(),
        "findings": read.findings,
        "made_by": f"mimir {mimir_engine.__version__}, numpy {np.__version__},"
        f" pydicom {pydicom.__version__}, python {platform.python_version()}",
    }


def _event(read: _Read, clock: Clock) -> dict[str, Any]:
    seconds_left = clock.tick()
    event: dict[str, Any] = {"event": "study", "name": read.name}
    if read.failure is not None:
        event.update(state="failed", code=read.failure.code, reason=read.failure.reason)
    else:
        event.update(state="done", findings=list(read.findings))
    return {**event, "done": clock.done, "total": clock.total, "seconds_left": seconds_left}


def _write_tables(folder: Path, ledger: Ledger) -> Projected:
    studies: list[tuple[Union[str, int], ...]] = []
    failures: list[tuple[str, str, str]] = []
    for name, record in ledger.records():
        if "code" in record:
            failures.append((name, record["code"], record["reason"]))
            continue
        findings = ";".join(record["findings"])
        known = {**record, "name": name, "files": record["files"]["content"], "findings": findings}
        studies.append(tuple(known[column] for column in COLUMNS))
    write_csv(folder / "failures.csv", ("name", "code", "reason"), failures)
    write_csv(folder / STUDIES, COLUMNS, studies)
    return Projected(len(studies), len(failures))
