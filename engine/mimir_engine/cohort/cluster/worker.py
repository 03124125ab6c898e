"""What a worker of Dask does: measure or stitch a chunk of studies exactly as one machine does.

Dask's workers call these functions by their names; arguments and replies are JSON texts.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from mimir_engine.cohort.cluster.chunk import Chunk, is_there
from mimir_engine.cohort.cluster.job_text import AnyJob, job_from_text
from mimir_engine.cohort.cluster.started_job import StartedJob
from mimir_engine.cohort.outcomes import LEDGER_FILE, Begun
from mimir_engine.cohort.study_loop import StudyOutcome, study_outcomes
from mimir_engine.errors import MimirError, error_of

if TYPE_CHECKING:
    from distributed import Worker


def check_worker(job: str, dask_worker: Worker) -> str:
    """Reply with what keeps this worker from a job: code, what, remedy as JSON; else nothing.

    Args:
        job: As `job_text` returns it.
        dask_worker: Dask gives the worker itself.
    """
    try:
        _check(job_from_text(job))
    except Exception as error:
        return json.dumps(_reported(error, dask_worker))
    return ""


def measure_chunk(job: str, chunk: str) -> str:
    """Measure a chunk; reply with its outcomes, or with the error that ends the run, as JSON.

    A worker measures one chunk at a time, however many threads it has: all read for that chunk.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    with _one_at_a_time:
        try:
            outcomes = _outcomes(job, Chunk.from_text(chunk), worker.state.nthreads, is_wanted)
        except _Unwanted:  # Dask throws the reply away
            end_job(job)
            return ""
        except Exception as error:
            return json.dumps({"error": _reported(error, worker)})
    return json.dumps({"outcomes": [[each.name, each.entry, each.event] for each in outcomes]})


def end_job(job: str) -> None:
    """Let go of the networks and readers of a job, if this process has them."""
    kept = _kept.pop(job, None)
    if kept is not None:
        kept.readers.close()


def _reported(error: Exception, worker: Worker) -> Sequence[str]:
    """Describe an error, with the address of the worker."""
    known = error_of(error)
    return known.code, f"the worker {worker.address}: {known.what}", known.remedy


def _check(job: AnyJob) -> None:
    """Check that this worker would do a job as the client does.

    Raises:
        MimirError: ``WORKER_DIFFERS``, ``WORKER_SEES_NO_FILES``, and what `describe` raises.
    """
    here = json.loads(json.dumps(job.describe()))
    differences = [
        f"{key} is {value} here, not {job.run.get(key)}"
        for key, value in here.items()
        if key != "modules" and value != job.run.get(key)
    ]
    differences += [
        f"there is another inference module {module['name']} here"
        for module in here.get("modules", ())
        if module not in job.run["modules"]
    ]
    if differences:
        raise MimirError(
            "WORKER_DIFFERS",
            "; ".join(differences),
            "Install the same packages and inference modules on all workers and the client.",
        )
    if not os.path.isfile(Path(job.output) / LEDGER_FILE):
        raise _unseen("the output folder is not there")


def _unseen(what: str) -> MimirError:
    return MimirError(
        "WORKER_SEES_NO_FILES",
        what,
        "Mount the folders of the studies and of the results under the same paths everywhere.",
    )


#: The job whose chunk this process has measured last, by its text.
_kept: dict[str, StartedJob] = {}
_one_at_a_time = threading.Lock()


class _Unwanted(Exception):
    """Nobody waits for this chunk any longer."""


@dataclass(frozen=True)
class _Attempts:
    """Knows what earlier runs have begun, and ends a chunk that is not wanted any longer."""

    chunk: Chunk
    is_wanted: Callable[[], bool]

    def begun(self) -> dict[str, Begun]:
        """Return the studies that earlier runs have begun."""
        return {s.source.name: s.begun for s in self.chunk.studies if s.begun is not None}

    def start(self, name: str, alone: bool = False) -> None:
        """End the chunk if its client has gone or has cancelled it."""
        if not self.is_wanted():
            raise _Unwanted


def _outcomes(
    text: str, chunk: Chunk, jobs: int, is_wanted: Callable[[], bool]
) -> list[StudyOutcome]:
    """Do the work on the studies of a chunk."""
    attempts = _Attempts(chunk, is_wanted)
    attempts.start("")
    job = job_from_text(text)
    _check(job)
    for study in chunk.studies:
        if study.is_there and not is_there(study.source):
            raise _unseen(f"the files of the study '{study.source.name}' are not there")
    if text not in _kept:
        for other in list(_kept):
            end_job(other)
        _kept[text] = job.start()
    work = replace(_kept[text].work(chunk), full_batches=True)
    sources = [study.source for study in chunk.studies]
    return list(study_outcomes(sources, attempts, work, _ignore, jobs))


def _ignore(event: Any) -> None:
    """Steps of studies are not told to the client."""
