"""Scan many studies: list what each contains, and whether it would be refused, without pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mimir_engine.cohort.ask_readers import ask_readers
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.scan_event import failed_scan
from mimir_engine.cohort.sources import NamedSource, source_fields
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
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

    def ask(readers: Readers, source: NamedSource) -> dict[str, Any]:
        arguments = {"source": source_fields(source), "reconstruction": reconstruction}
        event = readers.call("scan_source", arguments).value
        return {**event, "reason": source.shown(event["reason"])}

    refused = 0
    for event in ask_readers(list(sources), ask, failed_scan, jobs, limits):
        refused += event["state"] == "refused"
        listener(event)
    return refused
