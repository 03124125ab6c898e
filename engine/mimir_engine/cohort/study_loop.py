"""Work through many studies: skip what is done, read ahead, note each outcome in the ledger.

The loop takes the work as two functions and has no state of its own. Only the process that runs
it writes to the ledger.

A study whose reader dies, or takes too long, is read once more when all others are done, alone. So
is one that was being read when an earlier run ended: it may have ended that run.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.read_ahead import read_ahead
from mimir_engine.cohort.sources import NamedSource, check_names
from mimir_engine.cohort.study_failure import StudyFailure, failure_of
from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
from mimir_engine.readers.reader_process import DEATHS, NOT_STARTED

#: Runs that may end while a study is read alone: then it is taken for the cause.
MAX_RUNS_ENDED = 3
#: Seconds after which studies are finished though more would fit into a batch, so that a run that
#: is ended often still gets on.
MAX_WAIT_S = 10.0

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


@dataclass(frozen=True)
class ReadStudy:
    """A study that was read, or the reason why it was not.

    Attributes:
        source: The study.
        files: Its files, as they were before it was read.
        content: The value that ``StudyWork.read`` returned, or its failure.
    """

    source: NamedSource
    files: Fingerprint
    content: Any

    @property
    def has_died(self) -> bool:
        """True if its reader died, took too long, or ran out of memory."""
        return isinstance(self.content, StudyFailure) and self.content.code in DEATHS


def tell_damage(ledger: Ledger, listener: Listener) -> None:
    """Tell the listener of damaged lines of the ledger, which are passed over."""
    if ledger.damaged_lines:
        listener({"event": "ledger_damaged", "lines": ledger.damaged_lines})


def pending_studies(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    limits: ReaderLimits,
    is_current: Callable[[Mapping[str, Any]], bool] = lambda entry: True,
) -> list[NamedSource]:
    """Select the studies that are still to be done: new, failed or changed ones.

    A study that ended its reader is not tried again until its files or the limits change.

    Args:
        sources: Studies, of different names.
        ledger: The ledger of the output folder.
        limits: What reading one study may take.
        is_current: Returns whether the entry of an unchanged study may stay.

    Raises:
        MimirError: ``NAME_REPEATED``; ``NAME_TAKEN`` if the ledger has another study of the
            same name.
    """
    asked = {source.name: source for source in check_names(sources)}
    for name, entry in ledger.entries():
        code = entry.get("code")
        if name not in asked or (code and (code not in DEATHS or "files" not in entry)):
            continue
        now, then = fingerprint(asked[name].source), Fingerprint(**entry["files"])
        is_same = now.content == then.content
        if code:
            stays = is_same and entry.get("limits") == asdict(limits)
        elif is_same:
            stays = is_current(entry)
        elif now.place != then.place:
            raise MimirError(
                "NAME_TAKEN",
                f"the folder holds another study called '{name}'",
                "Choose another folder, or give the study a unique name with --sources.",
            )
        else:
            stays = False
        if stays:
            del asked[name]
    return list(asked.values())


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
    with closing(_read_studies(sources, ledger, work, listener, jobs)) as studies:
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
    """Gather studies: the first alone, later ones until a batch is full or has waited long."""
    batch: list[ReadStudy] = []
    due = time.monotonic()
    for study in studies:
        batch += [study] if study else []
        if len(batch) >= size or (batch and time.monotonic() >= due):
            yield batch
            batch, due = [], time.monotonic() + MAX_WAIT_S
    if batch:
        yield batch


def _read_studies(
    sources: Sequence[NamedSource],
    ledger: Ledger,
    work: StudyWork[Any],
    listener: Listener,
    jobs: int,
) -> Generator[Optional[ReadStudy], None, None]:
    """Yield each study as it was read, and None now and then while none is ready.

    Studies that were being read when an earlier run ended are read alone: before the others if the
    order counts, else after them.
    """
    begun = ledger.begun()
    read = partial(_read, ledger=ledger, work=work, listener=listener)
    read_alone = partial(read, alone=True)
    suspects = [source for source in sources if source.name in begun]
    others = [source for source in sources if source.name not in begun]
    guilty = [source for source in suspects if begun[source.name].alone >= MAX_RUNS_ENDED]
    again: list[NamedSource] = []

    def read_others() -> Iterator[Optional[ReadStudy]]:
        for study in read_ahead(others, read, jobs, work.in_order):
            if study and study.has_died:
                listener({"event": "step", "name": study.source.name, "step": "postpone"})
                again.append(study.source)
            else:
                yield study

    for source in guilty:
        suspects.remove(source)
        failure = StudyFailure(source.name, "STUDY_CRASHED", _RUNS_ENDED)
        yield ReadStudy(source, fingerprint(source.source), failure)
    if not work.in_order:
        yield from read_others()
    yield from read_ahead(suspects, read_alone, 1, in_order=True)
    if work.in_order:
        yield from read_others()
    yield from read_ahead(again, read_alone, 1, in_order=True)


def _read(
    source: NamedSource,
    ledger: Ledger,
    work: StudyWork[Any],
    listener: Listener,
    alone: bool = False,
) -> ReadStudy:
    """Read one study; only an error that concerns all studies is raised."""
    listener({"event": "step", "name": source.name, "step": "read"})
    files = fingerprint(source.source)
    ledger.start(source.name, alone)
    try:
        content = work.read(source)
        if fingerprint(source.source) != files:
            raise MimirError(
                "SOURCE_CHANGED",
                "the files of this study changed while they were read",
                "Wait until they have been copied, then run the same command again.",
            )
    except Exception as error:  # one bad study must not stop the others
        if isinstance(error, MimirError) and error.code == NOT_STARTED:
            raise
        content = failure_of(source.name, error, source.shown)
    return ReadStudy(source, files, content)


#: Reason of a study that ended the run itself, again and again.
_RUNS_ENDED = (
    f"the run ended {MAX_RUNS_ENDED} times while this study alone was read. Its files are probably"
    " damaged: export or download the study again."
)


def _entry(
    study: ReadStudy, outcome: Union[StudyDone, StudyFailure], limits: ReaderLimits
) -> dict[str, Any]:
    """Return what the ledger keeps of an outcome; of a death also under which limits."""
    files = {"files": asdict(study.files)}
    if isinstance(outcome, StudyFailure):
        deaths = {"limits": asdict(limits)} if outcome.code in DEATHS else {}
        return {**asdict(outcome), **files, **deaths}
    return {**outcome.entry, **files}


def _fields(outcome: Union[StudyDone, StudyFailure]) -> dict[str, Any]:
    """Return the fields of the event ``study`` that describe an outcome."""
    if isinstance(outcome, StudyFailure):
        return {"state": "failed", "code": outcome.code, "reason": outcome.reason}
    return {**outcome.event, "state": "done", "findings": list(dict.fromkeys(outcome.findings))}
