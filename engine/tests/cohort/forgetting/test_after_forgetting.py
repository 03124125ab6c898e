"""What other commands make of a folder from which people were removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cohort_builder import write_studies

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort.excluded_table import FORGOTTEN, IN_EXCLUDE, read_counts
from mimir_engine.cohort.forgetting.plan import Plan, write_plan
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.outcomes import LEDGER_FILE, Outcomes, read_outcomes
from mimir_engine.cohort.output_files import PLAN_FILE

Capture = pytest.CaptureFixture[str]

FORGOTTEN_ONE, EXCLUDED_ONE, OTHER = "1000000_20201_2_0", "1000001_20201_2_0", "1000002_20201_2_0"


@pytest.fixture(scope="module")
def cleared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, measured: then one excluded, and another one removed; not to be changed."""
    place = tmp_path_factory.mktemp("cleared")
    scans = place / "scans"
    scans.mkdir()
    write_studies(scans, [FORGOTTEN_ONE, EXCLUDED_ONE, OTHER])
    (scans / "1000003_20201_2_0.zip").write_bytes(b"no archive")
    (place / "first.txt").write_text("1000001\n")
    (place / "then.txt").write_text("1000000\n")
    measure = ["measure", str(scans), "--output", str(place / "out")]
    assert main(measure) == SOME_FAILED
    assert main([*measure, "--exclude", str(place / "first.txt")]) == SOME_FAILED
    assert main(["forget", str(place / "out"), "--exclude", str(place / "then.txt")]) == DONE
    return place


@pytest.fixture
def out(cleared: Path, tmp_path: Path) -> Path:
    """A copy of the results, to be changed."""
    return Path(shutil.copytree(cleared / "out", tmp_path / "out"))


def test_nobody_who_was_excluded_before_comes_back(out: Path, tmp_path: Path) -> None:
    assert read_counts(out) == {IN_EXCLUDE: 1, FORGOTTEN: 1}
    left = [OTHER, "1000003_20201_2_0"]
    assert read_outcomes(out).names() == left
    assert main(["gallery", str(out)]) == DONE
    page = (out / "gallery" / "index.html").read_text("utf-8")
    assert OTHER in page
    assert main(["merge", str(out), "--output", str(tmp_path / "merged")]) == SOME_FAILED
    merged = b"".join(p.read_bytes() for p in (tmp_path / "merged").rglob("*") if p.is_file())
    for person in (FORGOTTEN_ONE, EXCLUDED_ONE):
        assert person not in page
        assert person.encode() not in merged
    assert Outcomes(tmp_path / "merged").names() == left
    assert read_counts(tmp_path / "merged") == {IN_EXCLUDE: 1, FORGOTTEN: 1}


def test_results_are_merged_only_when_a_removal_is_complete(
    out: Path, tmp_path: Path, capsys: Capture
) -> None:
    write_plan(out, Plan((OTHER,), before=1))
    assert main(["merge", str(out), "--output", str(tmp_path / "merged")]) == WRONG_USE
    assert "RUN_UNFINISHED" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_starting_again_leaves_no_row_and_no_plan_of_the_earlier_run(out: Path) -> None:
    write_plan(out, Plan((FORGOTTEN_ONE,)))
    with Ledger(out, {"other": "run"}, overwrite=True):
        assert [path.name for path in out.glob("*.csv")] == []
        assert not (out / PLAN_FILE).exists()


def test_the_status_counts_those_who_are_left(out: Path, capsys: Capture) -> None:
    assert main(["status", str(out), "--json"]) == DONE
    status = json.loads(capsys.readouterr().out)["together"]
    assert (status["state"], status["studies"], status["left"]) == ("finished", 2, 0)
    assert (status["done"], status["failed"]) == (1, {"NOT_A_ZIP": 1})


def test_an_excluded_person_can_be_removed_later(cleared: Path, out: Path) -> None:
    assert EXCLUDED_ONE in (out / LEDGER_FILE).read_text()
    assert main(["forget", str(out), "--exclude", str(cleared / "first.txt")]) == DONE
    assert all(EXCLUDED_ONE.encode() not in p.read_bytes() for p in out.rglob("*") if p.is_file())
    assert read_outcomes(out).names() == [OTHER, "1000003_20201_2_0"]
    last = read_outcomes(out).last_run
    assert last is not None
    assert last.studies == 2


def test_without_the_list_a_removed_person_whose_scan_is_there_is_measured_again(
    cleared: Path, out: Path, capsys: Capture
) -> None:
    assert main(["measure", str(cleared / "scans"), "--output", str(out)]) == SOME_FAILED
    assert "4 studies, 2 of them already done" in capsys.readouterr().err
    assert read_counts(out) == {FORGOTTEN: 1}
