from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from dicom_builder import complete_study, set_pixels, write_zip
from pydicom.dataset import Dataset

from mimir_engine.cli import SOME_FAILED, main
from mimir_engine.cohort import ask_readers, check_studies
from mimir_engine.cohort.sources import named_sources

TOP, MIDDLE, LOWEST = complete_study()


def as_fat(dataset: Dataset, k: int) -> None:
    set_pixels(dataset, TOP.pixels("F", k))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A short study, one whose water and fat are the same, and one that cannot be read."""
    others = [*MIDDLE.files(), *LOWEST.files()]
    write_zip(tmp_path / "same.zip", [*TOP.files(change=as_fat), *others])
    write_zip(tmp_path / "short.zip", [*TOP.files(), *others])
    (tmp_path / "broken.zip").write_bytes(b"PK")
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_each_study_gives_an_event_with_its_state_and_findings(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ("short", "same", "broken")
    sources = [str(folder / f"{name}.zip") for name in names]
    status = main(["check", *sources, "--events", "--pictures", str(folder / "pictures")])
    _, *checks, end = map(json.loads, capfd.readouterr().out.splitlines())
    assert status == SOME_FAILED
    assert [check["name"] for check in checks] == [*names]
    assert [check["state"] for check in checks] == ["flagged", "stopped", "failed"]
    assert [check["code"] for check in checks] == ["", "CONTRASTS_IDENTICAL", "NOT_A_ZIP"]
    short, same, _ = checks
    assert "EXTENT_SHORT" in [finding["code"] for finding in short["findings"]]
    (stop,) = (finding for finding in same["findings"] if finding["severity"] == "stop")
    assert (stop["station"], stop["remedy"] != "") == (1, True)
    assert [Path(check["picture"]).is_file() for check in checks] == [True, True, False]
    assert (end["done"], end["refused"]) == (1, 2)


def test_the_text_for_people_names_each_finding(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["check", str(folder / "same.zip")])
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "same: stopped"
    assert any(line.startswith("  stop CONTRASTS_IDENTICAL: ") for line in lines)


def test_a_run_writes_tables_and_checks_no_study_twice(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = folder / "out"
    assert main(["check", str(folder / "same.zip"), "--output", str(output)]) == SOME_FAILED
    capfd.readouterr()
    assert main(["check", str(folder), "--output", str(output)]) == SOME_FAILED
    assert "3 studies, 1 of them already done" in capfd.readouterr().err
    states = {row["name"]: row["state"] for row in rows(output / "checks.csv")}
    assert states == {"same": "stopped", "short": "flagged"}
    found = rows(output / "findings.csv")
    assert {row["name"] for row in found} == {*states}
    assert {"stop", "warning"} <= {row["severity"] for row in found}
    assert [row["name"] for row in rows(output / "failures.csv")] == ["broken"]


def test_a_study_that_ends_its_reader_fails_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(folder / "short.zip", folder / "exit-a.zip")
    monkeypatch.setattr(ask_readers, "FUNCTIONS", "fragile_reader")
    events: list[Any] = []
    paths = [str(folder / "exit-a.zip"), str(folder / "short.zip")]
    sources = named_sources(paths).studies
    done, refused = check_studies.check_studies(
        sources, events.append, check_studies.CheckOptions(jobs=2)
    )
    assert (done, refused) == (2, 1)
    assert [event["code"] for event in events] == ["STUDY_CRASHED", ""]
