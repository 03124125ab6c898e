"""Send chunks of studies to the workers of a Dask scheduler, and yield what comes of them.

Dask finds another worker for the chunk of one that dies. Only this process writes the ledger, so
whatever ends, the same command continues.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimir_engine.cohort.cluster.chunk import Chunk
from mimir_engine.cohort.cluster.fuse_job import FuseJob
from mimir_engine.cohort.cluster.job_text import job_text
from mimir_engine.cohort.cluster.measure_job import MeasureJob
from mimir_engine.cohort.cluster.scheduler_address import notices
from mimir_engine.cohort.cluster.worker import check_worker, end_job, measure_chunk
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.fingerprint import fingerprint
from mimir_engine.cohort.inclusion.recorded_sex import RecordedSex
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.measure_studies import Measuring
from mimir_engine.cohort.read_studies import ReadStudy
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.cohort.study_loop import StudyOutcome, outcome_of
from mimir_engine.cohort.volumes.fuse_studies import Fusing
from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require
from mimir_engine.readers.reader_limits import ReaderLimits

if TYPE_CHECKING:
    from distributed import Client, Future

#: Studies of a chunk: as many as lie between them, fewer towards the end, so that all workers end
#: at about the same time. A lost worker loses at most one chunk; a network takes four at once.
MIN_CHUNK, MAX_CHUNK = 4, 32
#: Chunks on their way to each worker: one is measured, one waits.
MAX_IN_FLIGHT = 2
#: Seconds until the scheduler must answer.
CONNECT_TIMEOUT_S = 30.0
#: Reason of a study that Dask gave up.
_WORKERS_ENDED = (
    "the workers that measured this study ended, again and again. Its files are probably damaged,"
    " or the workers have too little memory."
)


@dataclass(frozen=True)
class DaskCluster:
    """The workers of a scheduler.

    Attributes:
        address: Of the scheduler, such as ``tcp://127.0.0.1:8786``.
        profiles: Scan profiles to be used instead of those of the modules.
    """

    address: str
    profiles: Sequence[Path] = ()

    def outcomes(
        self,
        sources: Sequence[NamedSource],
        ledger: Ledger,
        run: Mapping[str, Any],
        measuring: Measuring,
    ) -> Generator[StudyOutcome, None, None]:
        """Measure studies on the workers; see ``measure_studies.Cluster``.

        Raises:
            MimirError: ``EXTRA_MISSING``, ``SCHEDULER_UNREACHABLE``, ``SCHEDULER_LOST``,
                ``WORKER_DIFFERS``, ``WORKER_SEES_NO_FILES``, and what ends a run on one machine.
        """
        job = MeasureJob.of(run, measuring, ledger.folder, self.profiles)
        options = measuring.options
        task = _Task(job_text(job), measuring.listener, options.limits, options.sex)
        yield from self._outcomes(sources, ledger, task)

    def volumes(
        self,
        sources: Sequence[NamedSource],
        ledger: Ledger,
        run: Mapping[str, Any],
        fusing: Fusing,
        listener: Listener,
    ) -> Generator[StudyOutcome, None, None]:
        """Stitch studies on the workers; see ``fuse_studies.FusingCluster``.

        Raises:
            MimirError: As `outcomes`.
        """
        task = _Task(job_text(FuseJob.of(run, fusing)), listener, fusing.options.limits)
        yield from self._outcomes(sources, ledger, task)

    def _outcomes(
        self, sources: Sequence[NamedSource], ledger: Ledger, task: _Task
    ) -> Iterator[StudyOutcome]:
        require("cluster")
        with _connected(self.address) as client:
            threads = client.nthreads()
            event = {"event": "cluster", "scheduler": self.address, "workers": len(threads)}
            sentences = notices(self.address, len(threads))
            task.listener({**event, "threads": sum(threads.values()), "sentences": sentences})
            _refuse_others(client, task.job)
            try:
                yield from _Chunks(client, task, ledger).outcomes(sources)
            finally:
                with suppress(OSError, asyncio.TimeoutError):
                    client.run(end_job, task.job, on_error="ignore")


@dataclass(frozen=True)
class _Task:
    """What all chunks of a run share.

    Attributes:
        job: As `job_text` returns it.
        listener: Receives the event ``cluster``.
        limits: What reading one study may take.
        sex: The recorded sex of the studies.
    """

    job: str
    listener: Listener
    limits: ReaderLimits
    sex: RecordedSex = field(default_factory=RecordedSex)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """Connect to a scheduler; Dask's own messages are kept from the terminal meanwhile."""
    from distributed import Client

    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        try:
            client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except (OSError, ImportError, TypeError, ValueError, RuntimeError) as error:
            raise MimirError(
                "SCHEDULER_UNREACHABLE",
                f"the scheduler {address} cannot be reached ({error})",
                "Start it with `dask scheduler`, and check address and certificates.",
            ) from error
        with client:
            try:
                yield client
            except (OSError, CancelledError, asyncio.TimeoutError) as error:
                raise _lost() from error
    finally:
        log.setLevel(level)


def _refuse_others(client: Client, job: str) -> None:
    """Ask each worker that is there whether it measures as this machine does.

    Raises:
        MimirError: What keeps the first of them from it.
    """
    for address, reply in client.run(check_worker, job, on_error="return").items():
        if isinstance(reply, OSError):  # it has gone
            continue
        if isinstance(reply, BaseException):
            raise MimirError(
                "WORKER_DIFFERS",
                f"the worker {address} cannot run this version of MIMIR"
                f" ({type(reply).__name__}: {reply})",
                "Install the same packages on all workers, the scheduler and the client.",
            ) from reply
        if reply:
            raise MimirError(*json.loads(reply))


def _lost() -> MimirError:
    return MimirError(
        "SCHEDULER_LOST",
        "the connection to the scheduler was lost, or another client cancelled this run",
        "What is done is kept: run the same command again.",
    )


@dataclass(frozen=True)
class _Chunks:
    """The chunks of a run that are on their way.

    Attributes:
        in_flight: The studies of each chunk.
        alone: Chunks of one study that are on their way while no other is.
    """

    client: Client
    task: _Task
    ledger: Ledger
    in_flight: dict[Future[str], Sequence[NamedSource]] = field(default_factory=dict)
    alone: set[Future[str]] = field(default_factory=set)

    def outcomes(self, sources: Sequence[NamedSource]) -> Iterator[StudyOutcome]:
        """Yield the outcome of each study as its chunk is done.

        The studies of a chunk whose workers died are measured one by one after all others: so none
        is taken for the cause that was only near it.
        """
        from distributed import as_completed

        left, again = deque(sources), deque[NamedSource]()
        completed = as_completed(loop=self.client.loop)
        try:
            completed.update(self._submit_some(left, again))
            for future in completed:
                studies = self.in_flight.pop(future)
                if not _has_killed_workers(future):
                    yield from _outcomes(future)
                elif future in self.alone:
                    yield self._crashed(studies[0])
                else:
                    again.extend(studies)
                completed.update(self._submit_some(left, again))
        finally:
            with suppress(OSError, CancelledError, asyncio.TimeoutError):
                self.client.cancel(list(self.in_flight), force=True)

    def _submit_some(
        self, left: deque[NamedSource], again: deque[NamedSource]
    ) -> list[Future[str]]:
        """Submit chunks until each worker has enough to do; at the end, one study at a time."""
        futures = []
        workers = max(len(self.client.nthreads()), 1)
        if again and not left and not self.in_flight:
            futures.append(self._submit([again.popleft()]))
            self.alone.update(futures)
        while left and len(self.in_flight) < MAX_IN_FLIGHT * workers:
            share = len(left) // (MAX_IN_FLIGHT * workers)
            size = min(max(share - share % MIN_CHUNK, MIN_CHUNK), MAX_CHUNK, len(left))
            futures.append(self._submit([left.popleft() for _ in range(size)]))
        return futures

    def _submit(self, studies: Sequence[NamedSource]) -> Future[str]:
        chunk = Chunk.of(studies, self.ledger.begun(), self.task.sex).to_text()
        future = self.client.submit(measure_chunk, self.task.job, chunk, pure=False)
        self.in_flight[future] = studies
        return future

    def _crashed(self, source: NamedSource) -> StudyOutcome:
        failure = StudyFailure(source.name, "STUDY_CRASHED", _WORKERS_ENDED)
        study = ReadStudy(source, fingerprint(source.source, source.labels), failure)
        return outcome_of(study, failure, self.task.limits)


def _has_killed_workers(future: Future[str]) -> bool:
    """Return whether Dask gave a chunk up because its workers have died."""
    from distributed import KilledWorker

    return future.status == "error" and isinstance(future.exception(), KilledWorker)


def _outcomes(future: Future[str]) -> Iterator[StudyOutcome]:
    """Yield the outcomes of a chunk that was measured.

    Raises:
        MimirError: What ended it; ``SCHEDULER_LOST``; ``WORKER_DIFFERS`` if it never began.
    """
    if future.status == "cancelled":
        raise _lost()
    if future.status == "error":
        error = future.exception()
        raise MimirError(
            "WORKER_DIFFERS",
            f"a worker or the scheduler cannot run this version of MIMIR"
            f" ({type(error).__name__}: {error})",
            "Install the same packages on all workers, the scheduler and the client.",
        ) from error
    reply = json.loads(future.result())
    if "error" in reply:
        raise MimirError(*reply["error"])
    for name, entry, event in reply["outcomes"]:
        yield StudyOutcome(name, entry, event)
