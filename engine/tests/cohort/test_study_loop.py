from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.pending_studies import pending_studies
from mimir_engine.cohort.read_studies import MAX_RUNS_ENDED
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.cohort.study_loop import StudyDone, StudyWork, run_studies
from mimir_engine.errors import MimirError
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits


def sources(count: int) -> list[NamedSource]:
    return [NamedSource(f"{number:03d}", f"/gone/{number}.zip") for number in range(count)]


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
        run_studies(
            sources(5),
            ledger,
            StudyWork(read, finish, batch_size=3, in_order=True),
            events.append,
            2,
        )
        entries = dict(ledger.entries())
        asked = pending_studies(sources(6), ledger, DEFAULT_LIMITS)
        pending = [source.name for source in asked]
        assert pending == ["001", "002", "005"], "the failed ones and the new one"
    assert [entries[name].get("read") for name in sorted(entries)] == [
        "000", None, None, "003", "004",
    ]  # fmt: skip
    assert (entries["001"]["code"], entries["002"]["code"]) == ("NO_DICOM", "BAD")
    studies = [event for event in events if event["event"] == "study"]
    assert [event["state"] for event in studies] == ["done", "failed", "failed", "done", "done"]
    assert [event["done"] for event in studies] == [1, 2, 3, 4, 5]


def finish_all(batch: Sequence[str]) -> list[StudyDone]:
    return [StudyDone({"read": name}, ()) for name in batch]


def dying(*names: str) -> tuple[Any, list[str]]:
    """A function whose readers die with some studies, and the names that it was given."""
    asked: list[str] = []

    def read(source: NamedSource) -> str:
        asked.append(source.name)
        if source.name in names:
            raise MimirError("STUDY_CRASHED", "its reader ended")
        return source.name

    return read, asked


def test_a_study_that_ends_its_reader_is_tried_once_more_after_all_others(tmp_path: Path) -> None:
    read, asked = dying("001", "003")
    events: list[Any] = []
    with Ledger(tmp_path, {}) as ledger:
        run_studies(sources(6), ledger, StudyWork(read, finish_all), events.append, 2)
        failed = {failure.name: failure.code for failure in ledger.failures()}
    assert failed == {"001": "STUDY_CRASHED", "003": "STUDY_CRASHED"}
    assert sorted(asked[:6]) == [f"00{n}" for n in range(6)]
    assert sorted(asked[6:]) == ["001", "003"]
    steps = [event["step"] for event in events if event["name"] == "003" and "step" in event]
    assert steps == ["read", "postpone", "read"]


def test_a_death_is_not_repeated_until_the_limits_change(tmp_path: Path) -> None:
    read, _ = dying("001")
    with Ledger(tmp_path, {}) as ledger:
        run_studies(sources(3), ledger, StudyWork(read, finish_all), lambda event: None, 1)
    with Ledger(tmp_path, {}) as ledger:
        assert pending_studies(sources(3), ledger, DEFAULT_LIMITS) == []
        longer = ReaderLimits(timeout_s=2 * DEFAULT_LIMITS.timeout_s)
        assert pending_studies(sources(3), ledger, longer) == [sources(2)[1]]


def test_files_that_change_while_they_are_read_give_no_result(tmp_path: Path) -> None:
    scan = tmp_path / "scan.zip"
    scan.write_bytes(b"one patient")

    def read(source: NamedSource) -> str:
        scan.write_bytes(b"another patient's scan")
        return "mixed"

    with Ledger(tmp_path / "out", {}) as ledger:
        work = StudyWork(read, finish_all)
        run_studies([NamedSource("scan", scan)], ledger, work, lambda event: None, 1)
        assert [failure.code for failure in ledger.failures()] == ["SOURCE_CHANGED"]


@pytest.mark.skipif(sys.platform == "win32", reason="there, a file's ctime is its creation")
@pytest.mark.parametrize(("replaced", "outcome"), [(1, "other"), (9, "SOURCE_CHANGED")])
def test_a_file_replaced_by_one_that_looks_the_same_is_read_again(
    tmp_path: Path, replaced: int, outcome: str
) -> None:
    scan, other = tmp_path / "scan.zip", tmp_path / "other"
    scan.write_text("first")
    other.write_text("other")
    shutil.copystat(scan, other)
    readings: list[str] = []

    def read(source: NamedSource) -> str:
        headers = scan.read_text()
        if len(readings) < replaced:
            shutil.copy2(other, scan)
        readings.append(headers)
        return headers if headers == scan.read_text() else "mixed"

    with Ledger(tmp_path / "out", {}) as ledger:
        work = StudyWork(read, finish_all)
        run_studies([NamedSource("scan", scan)], ledger, work, lambda event: None, 1)
        entry = ledger.entry("scan") or {}
    assert len(readings) == 2
    assert entry.get("read", entry.get("code")) == outcome


def test_a_study_that_was_begun_when_a_run_ended_is_read_alone_after_the_others(
    tmp_path: Path,
) -> None:
    with Ledger(tmp_path, {}) as ledger:
        ledger.start("001")
    read, asked = dying()
    with Ledger(tmp_path, {}) as ledger:
        run_studies(sources(4), ledger, StudyWork(read, finish_all), lambda event: None, 2)
    assert asked[-1] == "001"
    assert sorted(asked) == ["000", "001", "002", "003"]


def test_a_study_that_ended_the_run_several_times_alone_is_not_read_again(tmp_path: Path) -> None:
    for _ in range(MAX_RUNS_ENDED):
        with Ledger(tmp_path, {}) as ledger:
            ledger.start("001", alone=True)
    read, asked = dying()
    with Ledger(tmp_path, {}) as ledger:
        run_studies(sources(3), ledger, StudyWork(read, finish_all), lambda event: None, 2)
        assert [failure.code for failure in ledger.failures()] == ["STUDY_CRASHED"]
    assert "001" not in asked


def test_the_first_study_is_noted_before_the_second_batch_is_full(tmp_path: Path) -> None:
    batches: list[int] = []

    def finish(batch: Sequence[str]) -> list[StudyDone]:
        batches.append(len(batch))
        return finish_all(batch)

    with Ledger(tmp_path, {}) as ledger:
        work = StudyWork(lambda source: source.name, finish, batch_size=4, in_order=True)
        run_studies(sources(9), ledger, work, lambda event: None, 1)
    assert batches == [1, 4, 4]


def test_readers_that_cannot_start_end_the_run(tmp_path: Path) -> None:
    def read(source: NamedSource) -> str:
        raise MimirError("READER_NOT_STARTED", "no reader")

    with Ledger(tmp_path, {}) as ledger, pytest.raises(MimirError, match="READER_NOT_STARTED"):
        run_studies(sources(3), ledger, StudyWork(read, finish_all), lambda event: None, 1)
