"""Work through many studies: skip what is done, read ahead, note each outcome in the ledger.

The loop takes the work as two functions and has no state of its own. Only the process that runs
it writes to the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.read_studies import ReadStudy, read_studies
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits

#: Seconds after which studies are finished though more would fit into a batch, so that results
#: appear and a run that is ended often still gets on.
MAX_WAIT_S = 10.0
#: A batch waits at most this many times as long as the last one took: finishing is then less than a
#: quarter of the time, whether batches are full or not.
WAIT_PER_BATCH = 3.0

#: A study as it was read, of whatever kind the work needs.
Read = TypeVar("Read")


@dataclass(frozen=True)
class StudyDone:
    """The outcome of a study that was done.

    Attributes:
        entry: Plain values that the ledger keeps.
        findings: Codes of the findings.
        event: Further fields of the event ``study``.
    """

    entry: Mapping[str, Any]
    findings: Iterable[str]
    event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyWork(Generic[Read]):
    """The work on each study.

    Attributes:
        read: Reads a study, in a thread; an error fails that study alone.
        finish: Finishes one or more studies that were read, and gives one outcome for each in
            their order; an error ends the run.
        limits: What reading one study may take.
        batch_size: Largest number of studies that are finished together.
        in_order: Finish the studies in the order of their sources.
    """

    read: Callable[[NamedSource], Read]
    finish: Callable[[Sequence[Read]], Iterable[Union[StudyDone, StudyFailure]]]
    limits: ReaderLimits = DEFAULT_LIMITS
    batch_size: int = 1
    in_order: bool = False


def tell_damage(ledger: Ledger, listener: Listener) -> None:
    """Tell the listener of damaged lines of the ledger, which are passed over."""
    if ledger.damaged_lines:
        listener({"event": "ledger_damaged", "lines": ledger.damaged_lines})


def run_studies(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    work: StudyWork[Any],
    listener: Listener,
    jobs: int,
) -> None:
    """Do the work on each study and note each outcome.

    Args:
        sources: Studies to be done.
        ledger: Receives an entry for each study.
        work: What to do with each.
        listener: Receives the events ``step`` and ``study``.
        jobs: Studies read at once.
    """
    started, done, total = time.monotonic(), 0, len(sources)
    reading = read_studies(sources, ledger, work.read, listener, jobs, work.in_order)
    with closing(reading) as studies:
        for batch in _batches(studies, work.batch_size):
            ready = [s.content for s in batch if not isinstance(s.content, StudyFailure)]
            finished = iter(work.finish(ready) if ready else ())
            for study in batch:
                failed = isinstance(study.content, StudyFailure)
                outcome = study.content if failed else next(finished)
                ledger.add(study.source.name, _entry(study, outcome, work.limits))
                done += 1
                seconds_left = round((time.monotonic() - started) / done * (total - done), 1)
                progress = {"done": done, "total": total, "seconds_left": seconds_left}
                event = {"event": "study", "name": study.source.name}
                listener({**event, **_fields(outcome), **progress})


def _batches(
    studies: Iterable[Optional[ReadStudy]], size: int
) -> Generator[list[ReadStudy], None, None]:
    """Gather studies: the first alone, later ones until a batch is full or has waited enough."""
    batch: list[ReadStudy] = []
    due = factor = 0.0  # the first batch takes longer: it loads the networks
    for study in studies:
        batch += [study] if study else []
        if len(batch) >= size or (batch and time.monotonic() >= due):
            began = time.monotonic()
            yield batch
            ended = time.monotonic()
            batch, due = [], ended + min(factor * (ended - began), MAX_WAIT_S)
            factor = WAIT_PER_BATCH
    if batch:
        yield batch


def _entry(
    study: ReadStudy, outcome: Union[StudyDone, StudyFailure], limits: ReaderLimits
) -> dict[str, Any]:
    """Return what the ledger keeps of an outcome; of a reader's death also under which limits."""
    files = {"files": asdict(study.files)}
    if isinstance(outcome, StudyFailure):
        deaths = {"limits": asdict(limits)} if study.has_died else {}
        return {**asdict(outcome), **files, **deaths}
    return {**outcome.entry, **files}


def _fields(outcome: Union[StudyDone, StudyFailure]) -> dict[str, Any]:
    """Return the fields of the event ``study`` that describe an outcome."""
    if isinstance(outcome, StudyFailure):
        return {"state": "failed", "code": outcome.code, "reason": outcome.reason}
    return {**outcome.event, "state": "done", "findings": list(dict.fromkeys(outcome.findings))}
