"""Ask readers about studies, one question for each, and pass the answers on in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any

from mimir_engine.cohort.read_ahead import read_ahead
from mimir_engine.cohort.reader_calls import FUNCTIONS
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure, failure_of
from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_limits import ReaderLimits
from mimir_engine.readers.reader_process import NOT_STARTED
from mimir_engine.readers.readers import Readers

Event = dict[str, Any]


def ask_readers(
    studies: Sequence[NamedSource],
    ask: Callable[[Readers, NamedSource], Event],
    failed: Callable[[StudyFailure], Event],
    jobs: int,
    limits: ReaderLimits,
) -> Generator[Event, None, None]:
    """Yield the event of each study, in the order of the studies.

    Args:
        studies: Studies, of different names.
        ask: Makes the event of a study with a reader.
        failed: Makes the event of a study about which that raised an error.
        jobs: Studies read at once.
        limits: Memory and time for each study.

    Raises:
        MimirError: ``READER_NOT_STARTED``.
    """

    def event_of(source: NamedSource) -> Event:
        try:
            return ask(readers, source)
        except MimirError as error:
            if error.code == NOT_STARTED:
                raise
            return failed(failure_of(source.name, error, source.shown))

    with (
        Readers(FUNCTIONS, limits) as readers,
        closing(read_ahead(studies, event_of, jobs, in_order=True)) as events,
    ):
        for done, event in enumerate(filter(None, events), 1):
            yield {**event, "done": done, "total": len(studies)}
