"""Work through many studies: skip what is done, read ahead, note each outcome in the ledger.

The loop takes the work as two functions and has no state of its own. Only the process that runs
it writes to the ledger.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, Callable, Generic, TypeVar, Union

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.sources import NamedSource, check_names
from mimir_engine.cohort.study_failure import StudyFailure, failure_of
from mimir_engine.errors import MimirError

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
        batch_size: Largest number of studies that are finished together.
    """

    read: Callable[[NamedSource], Read]
    finish: Callable[[Sequence[Read]], Iterable[Union[StudyDone, StudyFailure]]]
    batch_size: int = 1


@dataclass(frozen=True)
class ReadStudy:
    """A study that was read, or the reason why it was not.

    Attributes:
        name: The study's name.
        files: Its files, as they were before it was read.
        content: The value that ``StudyWork.read`` returned, or its failure.
    """

    name: str
    files: Fingerprint
    content: Any


def pending_studies(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    is_current: Callable[[Mapping[str, Any]], bool] = lambda entry: True,
) -> list[NamedSource]:
    """Select the studies that are still to be done: new, failed or changed ones.

    Args:
        sources: Studies, of different names.
        ledger: The ledger of the output folder.
        is_current: Returns whether the entry of an unchanged study may stay.

    Raises:
        MimirError: ``NAME_REPEATED``; ``NAME_TAKEN`` if the ledger has another study of the
            same name.
    """
    asked = {source.name: source for source in check_names(sources)}
    for name, entry in ledger.done():
        if name not in asked:
            continue
        now, then = fingerprint(asked[name].source), Fingerprint(**entry["files"])
        if now.content != then.content and now.place != then.place:
            raise MimirError(
                "NAME_TAKEN",
                f"the folder holds another study called '{name}'",
                "Choose another folder, or give the study a unique name with --sources.",
            )
        if now.content == then.content and is_current(entry):
            del asked[name]
    return list(asked.values())


def run_studies(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    work: StudyWork[Any],
    listener: Listener,
    jobs: int,
) -> None:
    """Do the work on each study and note each outcome, in the order of the sources.

    Args:
        sources: Studies to be done.
        ledger: Receives an entry for each study.
        work: What to do with each.
        listener: Receives the events ``step`` and ``study``.
        jobs: Studies read at once.
    """
    started, done, total = time.monotonic(), 0, len(sources)
    with closing(read_ahead(sources, work, listener, jobs)) as studies:
        while batch := list(islice(studies, work.batch_size)):
            ready = [s.content for s in batch if not isinstance(s.content, StudyFailure)]
            finished = iter(work.finish(ready) if ready else ())
            for study in batch:
                failed = isinstance(study.content, StudyFailure)
                outcome = study.content if failed else next(finished)
                entry = asdict(outcome) if isinstance(outcome, StudyFailure) else outcome.entry
                ledger.add(study.name, {**entry, "files": asdict(study.files)})
                done += 1
                seconds_left = round((time.monotonic() - started) / done * (total - done), 1)
                progress = {"done": done, "total": total, "seconds_left": seconds_left}
                listener({"event": "study", "name": study.name, **_fields(outcome), **progress})


def read_ahead(
    sources: Iterable[NamedSource], work: StudyWork[Any], listener: Listener, jobs: int
) -> Generator[ReadStudy, None, None]:
    """Read studies in threads, in their order, ``jobs`` at once and only a few of them ahead."""

    def read(source: NamedSource) -> ReadStudy:
        listener({"event": "step", "name": source.name, "step": "read"})
        files = fingerprint(source.source)
        try:
            return ReadStudy(source.name, files, work.read(source))
        except Exception as error:  # one bad study must not stop the others
            failure = failure_of(source.name, error)
            failure = replace(failure, reason=source.shown(failure.reason))
            return ReadStudy(source.name, files, failure)

    waiting: deque[Future[ReadStudy]] = deque()
    with ThreadPoolExecutor(jobs) as readers:
        try:
            for source in sources:
                waiting.append(readers.submit(read, source))
                if len(waiting) >= jobs + work.batch_size:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            readers.shutdown(wait=False, cancel_futures=True)


def _fields(outcome: Union[StudyDone, StudyFailure]) -> dict[str, Any]:
    """Return the fields of the event ``study`` that describe an outcome."""
    if isinstance(outcome, StudyFailure):
        return {"state": "failed", "code": outcome.code, "reason": outcome.reason}
    return {**outcome.event, "state": "done", "findings": list(dict.fromkeys(outcome.findings))}
