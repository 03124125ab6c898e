"""Work through many studies: read ahead, finish in batches, note each outcome in the ledger.

One function yields outcomes and writes nothing; another notes them. So outcomes may come from other
machines, too, while only the process of the command writes to the ledger.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.read_studies import Attempts, ReadStudy, read_studies
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits

#: Seconds after which studies are finished though more would fit into a batch, so that results
#: appear and a run that is ended often still gets on.
MIN_WAIT_S, MAX_WAIT_S = 1.0, 10.0
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
        full_batches: Wait until a batch is full, since nobody sees an outcome before the last.
    """

    read: Callable[[NamedSource], Read]
    finish: Callable[[Sequence[Read]], Iterable[Union[StudyDone, StudyFailure]]]
    limits: ReaderLimits = DEFAULT_LIMITS
    batch_size: int = 1
    in_order: bool = False
    full_batches: bool = False


@dataclass(frozen=True)
class StudyOutcome:
    """What came of one study.

    Attributes:
        name: The study's name.
        entry: What the ledger keeps of it, as JSON values.
        event: Fields of the event ``study`` that describe it, as JSON values.
    """

    name: str
    entry: Mapping[str, Any]
    event: Mapping[str, Any]


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
    """Do the work on each study on this machine, and note each outcome.

    Args:
        sources: Studies to be done.
        ledger: Receives an entry for each study.
        work: What to do with each.
        listener: Receives the events ``step`` and ``study``.
        jobs: Studies read at once.
    """
    outcomes = study_outcomes(sources, ledger, work, listener, jobs)
    note_outcomes(outcomes, len(sources), ledger, listener)


def note_outcomes(
    outcomes: Generator[StudyOutcome, None, None],
    total: int,
    ledger: Ledger,
    listener: Listener,
) -> None:
    """Note outcomes in the ledger as they come, and tell the listener how far the run is.

    Args:
        outcomes: Closed at the end, however that comes.
        total: Their number.
        ledger: Receives an entry for each.
        listener: Receives an event ``study`` for each.
    """
    started = time.monotonic()
    with closing(outcomes):
        for done, outcome in enumerate(outcomes, start=1):
            ledger.add(outcome.name, outcome.entry)
            seconds_left = round((time.monotonic() - started) / done * (total - done), 1)
            progress = {"done": done, "total": total, "seconds_left": seconds_left}
            listener({"event": "study", "name": outcome.name, **outcome.event, **progress})


def study_outcomes(
    sources: Sequence[NamedSource],
    attempts: Attempts,
    work: StudyWork[Any],
    listener: Listener,
    jobs: int,
) -> Generator[StudyOutcome, None, None]:
    """Do the work on each study on this machine, and yield each outcome.

    Args:
        sources: Studies to be done.
        attempts: Knows and learns which studies were begun.
        work: What to do with each.
        listener: Receives the events ``step``.
        jobs: Studies read at once.
    """
    reading = read_studies(sources, attempts, work.read, listener, jobs, work.in_order)
    with closing(reading) as studies:
        for batch in _batches(studies, work.batch_size, work.full_batches):
            ready = [s.content for s in batch if not isinstance(s.content, StudyFailure)]
            finished = iter(work.finish(ready) if ready else ())
            for study in batch:
                failed = isinstance(study.content, StudyFailure)
                yield outcome_of(study, study.content if failed else next(finished), work.limits)


def _batches(
    studies: Iterable[Optional[ReadStudy]], size: int, only_full: bool
) -> Generator[list[ReadStudy], None, None]:
    """Gather studies: the first alone, later ones until a batch is full or has waited enough."""
    batch: list[ReadStudy] = []
    due = math.inf if only_full else 0.0
    factor = 0.0  # the first batch takes longer: it loads the networks
    for study in studies:
        batch += [study] if study else []
        if len(batch) >= size or (batch and time.monotonic() >= due):
            began = time.monotonic()
            yield batch
            ended = time.monotonic()
            wait = min(max(factor * (ended - began), MIN_WAIT_S), MAX_WAIT_S)
            batch, due = [], math.inf if only_full else ended + wait
            factor = WAIT_PER_BATCH
    if batch:
        yield batch


def outcome_of(
    study: ReadStudy, outcome: Union[StudyDone, StudyFailure], limits: ReaderLimits
) -> StudyOutcome:
    """Describe an outcome for the ledger and the listener.

    Of a reader's death the ledger also keeps under which limits it happened.
    """
    files = {"files": asdict(study.files)}
    if isinstance(outcome, StudyFailure):
        deaths = {"limits": asdict(limits)} if study.has_died else {}
        event = {"state": "failed", "code": outcome.code, "reason": outcome.reason}
        return StudyOutcome(study.source.name, {**asdict(outcome), **files, **deaths}, event)
    findings = list(dict.fromkeys(outcome.findings))
    done = {**outcome.event, "state": "done", "findings": findings}
    return StudyOutcome(study.source.name, {**outcome.entry, **files}, done)
