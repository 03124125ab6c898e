"""Scan many studies: list what each contains, and whether it would be refused, without pixels."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any

from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.read_ahead import read_ahead
from mimir_engine.cohort.reader_calls import FUNCTIONS
from mimir_engine.cohort.scan_event import failed_scan
from mimir_engine.cohort.sources import NamedSource, source_fields
from mimir_engine.cohort.study_failure import failure_of
from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
from mimir_engine.readers.reader_process import NOT_STARTED
from mimir_engine.readers.readers import Readers
from mimir_engine.study.reconstruction import NORMALISED


def scan_studies(
    sources: Iterable[NamedSource],
    listener: Listener,
    jobs: int = 1,
    reconstruction: str = NORMALISED,
    limits: ReaderLimits = DEFAULT_LIMITS,
) -> int:
    """Scan studies in readers; one that would be refused does not stop the others.

    Args:
        sources: Studies, of different names.
        listener: Receives an event ``scan`` for each study, in the order of the sources.
        jobs: Studies read at once.
        reconstruction: ``normalised`` or ``raw``: which is used if a scan has both.
        limits: Memory and time for each study.

    Returns:
        Number of studies that would be refused.

    Raises:
        MimirError: ``READER_NOT_STARTED``.
    """
    studies, refused, done = list(sources), 0, 0

    def scan(source: NamedSource) -> Any:
        arguments = {"source": source_fields(source), "reconstruction": reconstruction}
        try:
            event = readers.call("scan_source", arguments).value
            return {**event, "reason": source.shown(event["reason"])}
        except MimirError as error:
            if error.code == NOT_STARTED:
                raise
            return failed_scan(failure_of(source.name, error, source.shown))

    with (
        Readers(FUNCTIONS, limits) as readers,
        closing(read_ahead(studies, scan, jobs, in_order=True)) as events,
    ):
        for event in filter(None, events):
            done += 1
            refused += event["state"] == "refused"
            listener({**event, "done": done, "total": len(studies)})
    return refused
