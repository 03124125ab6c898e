"""Read studies so that none can stop the others: which when, and which again.

A study whose reader dies, or takes too long, is read once more when all others are done, alone. So
is one that was being read when an earlier run ended: it may have ended that run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Optional, Protocol

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint, fingerprint_and_state
from mimir_engine.cohort.outcomes import Begun
from mimir_engine.cohort.read_ahead import read_ahead
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure, failure_of
from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_process import DEATHS, NOT_STARTED

#: Runs that may end while a study is read alone: then it is taken for the cause.
MAX_RUNS_ENDED = 3
#: Reason of a study that ended the run itself, again and again.
_RUNS_ENDED = (
    f"the run ended {MAX_RUNS_ENDED} times while this study alone was read. Its files are probably"
    " damaged: export or download the study again."
)


class Attempts(Protocol):
    """Which studies were begun; a ``Ledger`` keeps it for later runs."""

    def begun(self) -> dict[str, Begun]:
        """Return the studies whose reading began and has no outcome since."""

    def start(self, name: str, alone: bool = False) -> None:
        """Note that the reading of a study begins."""


@dataclass(frozen=True)
class ReadStudy:
    """A study that was read, or the reason why it was not.

    Attributes:
        source: The study.
        files: Its files, as they were before it was read.
        content: What the reader made of it, or a failure.
    """

    source: NamedSource
    files: Fingerprint
    content: Any

    @property
    def has_died(self) -> bool:
        """True if its reader died, took too long, or ran out of memory."""
        return isinstance(self.content, StudyFailure) and self.content.code in DEATHS


def read_studies(
    sources: Sequence[NamedSource],
    attempts: Attempts,
    read: Callable[[NamedSource], Any],
    listener: Listener,
    jobs: int,
    in_order: bool,
) -> Generator[Optional[ReadStudy], None, None]:
    """Yield each study as it was read, and None now and then while none is ready.

    Studies that were being read when an earlier run ended are read alone: before the others if the
    order counts, else after them. So are those whose reader died, at the end.

    Args:
        sources: Studies to be read.
        attempts: Knows and learns which studies were begun.
        read: Reads a study, in a thread; an error fails that study alone.
        listener: Receives the events ``step``.
        jobs: Studies read at once.
        in_order: Yield the studies in the order of their sources.

    Raises:
        MimirError: ``READER_NOT_STARTED``, ``OUTPUT_UNWRITABLE``.
    """
    begun = attempts.begun()
    read_one = partial(_read, attempts=attempts, read=read, listener=listener)
    read_alone = partial(read_one, alone=True)
    suspects = [source for source in sources if source.name in begun]
    others = [source for source in sources if source.name not in begun]
    guilty = [source for source in suspects if begun[source.name].alone >= MAX_RUNS_ENDED]
    again: list[NamedSource] = []

    def read_others() -> Iterator[Optional[ReadStudy]]:
        for study in read_ahead(others, read_one, jobs, in_order):
            if study and study.has_died:
                listener({"event": "step", "name": study.source.name, "step": "postpone"})
                again.append(study.source)
            else:
                yield study

    for source in guilty:
        suspects.remove(source)
        failure = StudyFailure(source.name, "STUDY_CRASHED", _RUNS_ENDED)
        yield ReadStudy(source, fingerprint(source.source, source.labels), failure)
    if not in_order:
        yield from read_others()
    yield from read_ahead(suspects, read_alone, 1, in_order=True)
    if in_order:
        yield from read_others()
    yield from read_ahead(again, read_alone, 1, in_order=True)


def _read(
    source: NamedSource,
    attempts: Attempts,
    read: Callable[[NamedSource], Any],
    listener: Listener,
    alone: bool = False,
) -> ReadStudy:
    """Read one study; only an error that concerns all studies is raised."""
    listener({"event": "step", "name": source.name, "step": "read"})
    before = fingerprint_and_state(source.source, source.labels)
    attempts.start(source.name, alone)
    try:
        content = _read_unchanged(source, before, read)
    except Exception as error:  # one bad study must not stop the others
        if isinstance(error, MimirError) and error.code == NOT_STARTED:
            raise
        content = failure_of(source.name, error, source.shown)
    return ReadStudy(source, before[0], content)


def _read_unchanged(
    source: NamedSource, before: tuple[Fingerprint, str], read: Callable[[NamedSource], Any]
) -> Any:
    """Read a study; once more if its files were touched meanwhile, but look the same.

    Raises:
        MimirError: ``SOURCE_CHANGED``, and those of reading.
    """
    for _ in range(2):
        content = read(source)
        after = fingerprint_and_state(source.source, source.labels)
        if after == before:
            return content
        if after[0] != before[0]:
            break
        before = after
    raise MimirError(
        "SOURCE_CHANGED",
        "the files of this study changed while they were read",
        "Wait until they have been copied, then run the same command again.",
    )
