from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cohort_builder import write_studies

from mimir_engine.cohort import ask_readers
from mimir_engine.cohort.scan_studies import scan_studies
from mimir_engine.cohort.sources import named_sources


def test_a_study_that_ends_its_reader_is_refused_and_the_others_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archive,) = write_studies(tmp_path, ["good"])
    names = ("exit-a", "fault-b", "other")
    paths = [archive, *(Path(shutil.copy(archive, tmp_path / f"{name}.zip")) for name in names)]
    monkeypatch.setattr(ask_readers, "FUNCTIONS", "fragile_reader")
    events: list[Any] = []
    refused = scan_studies(named_sources(map(str, paths)).studies, events.append, jobs=2)
    assert refused == 2
    assert [(event["name"], event["code"]) for event in events] == [
        ("good", ""), ("exit-a", "STUDY_CRASHED"), ("fault-b", "INTERNAL_ERROR"), ("other", ""),
    ]  # fmt: skip
    assert [event["done"] for event in events] == [1, 2, 3, 4]
    assert len(events[3]["stations"]) == len(events[0]["stations"]) > 1
