from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.cohort.study_loop import (
    StudyDone,
    StudyWork,
    pending_studies,
    read_ahead,
    run_studies,
)
from mimir_engine.errors import MimirError

BATCH = 8


def ignore(event: Any) -> None:
    """Ignore an event."""


def nothing(batch: Sequence[Any]) -> Iterator[StudyDone]:
    return (StudyDone({}, ()) for _ in batch)


def sources(count: int) -> list[NamedSource]:
    return [NamedSource(f"{number:03d}", f"/gone/{number}.zip") for number in range(count)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_studies_than_jobs_are_read_at_once(jobs: int) -> None:
    lock, now, largest = threading.Lock(), 0, 0

    def slow(source: NamedSource) -> None:
        nonlocal now, largest
        with lock:
            now += 1
            largest = max(largest, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        raise MimirError("NO_DICOM", "nothing here")

    studies = sources(3 * BATCH)
    reads = read_ahead(studies, StudyWork(slow, nothing, BATCH), ignore, jobs)
    assert [read.name for read in reads] == [source.name for source in studies]
    assert largest == jobs


def test_reading_runs_ahead_of_the_networks_by_little() -> None:
    started: list[str] = []
    work = StudyWork(lambda source: started.append(source.name), nothing, BATCH)
    reads = read_ahead(sources(100), work, ignore, 2)
    next(reads)
    time.sleep(0.2)
    assert len(started) <= BATCH + 2
    reads.close()
    assert len(started) <= BATCH + 2, "studies that have not begun are dropped"


def test_each_outcome_is_noted_under_its_own_name(tmp_path: Path) -> None:
    def read(source: NamedSource) -> str:
        if source.name == "001":
            raise MimirError("NO_DICOM", "nothing here")
        return source.name

    def finish(batch: Sequence[str]) -> Iterator[Any]:
        for name in batch:
            is_bad = name == "002"
            yield StudyFailure(name, "BAD", "bad.") if is_bad else StudyDone({"read": name}, ["A"])

    events: list[Any] = []
    with Ledger(tmp_path, {}) as ledger:
        run_studies(sources(5), ledger, StudyWork(read, finish, 3), events.append, 2)
        entries = dict(ledger.entries())
        pending = [source.name for source in pending_studies(sources(6), ledger)]
        assert pending == ["001", "002", "005"], "the failed ones and the new one"
    assert [entries[name].get("read") for name in sorted(entries)] == [
        "000", None, None, "003", "004",
    ]  # fmt: skip
    assert (entries["001"]["code"], entries["002"]["code"]) == ("NO_DICOM", "BAD")
    studies = [event for event in events if event["event"] == "study"]
    assert [event["state"] for event in studies] == ["done", "failed", "failed", "done", "done"]
    assert [event["done"] for event in studies] == [1, 2, 3, 4, 5]
