"""Say how far runs are: while they run, after a kill, for shards together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cohort_builder import write_studies

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.outcomes import LEDGER_FILE
from mimir_engine.cohort.shards.run_status import (
    FINISHED,
    NOT_BEGUN,
    RUNNING,
    STOPPED,
    UNREADABLE,
    read_status,
    together,
)
from mimir_engine.files.folder_lock import folder_lock

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
RUN = {"mimir": "0.8.0"}
BEGAN = 1_700_000_000


def write_run(
    folder: Path, studies: int, times: list[int], failed: int = 0, began: int = BEGAN
) -> None:
    """A run of some studies of which one ended at each time; the first ones failed."""
    folder.mkdir(exist_ok=True)
    begun = {"began": began, "studies": studies, "to_do": studies, "settings": {}}
    lines = [encode(RUN), encode({"run": begun})]
    for number, time in enumerate(times):
        outcome = {"code": "NOT_A_ZIP", "reason": "no"} if number < failed else {"value": 1}
        lines.append(encode({"name": f"{number:05d}", **outcome, "time": time}))
    (folder / LEDGER_FILE).write_bytes(b"".join(lines))


def test_a_run_that_works_says_how_fast_and_how_long(tmp_path: Path) -> None:
    write_run(tmp_path, 100, [BEGAN + 60 * (number + 1) for number in range(20)], failed=2)
    with folder_lock(tmp_path):
        status = read_status(tmp_path, now=BEGAN + 1200)
    assert (status.state, status.studies, status.done) == (RUNNING, 100, 18)
    assert (status.failed, status.left) == ({"NOT_A_ZIP": 2}, 80)
    assert status.studies_per_hour == pytest.approx(60)
    assert status.seconds_left == pytest.approx(80 * 60)
    assert status.last_outcome == BEGAN + 1200


def test_the_rate_is_that_of_the_last_hour(tmp_path: Path) -> None:
    slow = [BEGAN + 600 * (number + 1) for number in range(12)]  # two hours, six per hour
    fast = [slow[-1] + 36 * (number + 1) for number in range(100)]  # one hour, a hundred per hour
    write_run(tmp_path, 1000, slow + fast)
    with folder_lock(tmp_path):
        assert read_status(tmp_path, fast[-1]).studies_per_hour == pytest.approx(100)


def test_a_pause_between_runs_does_not_count(tmp_path: Path) -> None:
    write_run(tmp_path, 100, [BEGAN + 60 * (number + 1) for number in range(10)])
    later = BEGAN + 1200
    begun = {"began": later, "studies": 100, "to_do": 90, "settings": {}}
    with (tmp_path / LEDGER_FILE).open("ab") as file:
        file.write(encode({"run": begun}))
        for number in range(10):
            file.write(
                encode({"name": f"b{number}", "value": 1, "time": later + 30 * (number + 1)})
            )
    status = read_status(tmp_path)
    assert (status.done, status.left, status.state) == (20, 80, STOPPED)
    assert status.studies_per_hour == pytest.approx(120)
    assert status.seconds_left is None, "no run works"


def test_a_run_whose_first_study_has_not_ended_knows_no_rate(tmp_path: Path) -> None:
    write_run(tmp_path, 10, [])
    with folder_lock(tmp_path):
        status = read_status(tmp_path)
    assert (status.state, status.left, status.studies_per_hour) == (RUNNING, 10, None)


def test_a_clock_that_was_put_back_gives_no_impossible_rate(tmp_path: Path) -> None:
    write_run(tmp_path, 10, [BEGAN - 500, BEGAN - 400])
    with folder_lock(tmp_path):
        status = read_status(tmp_path, now=BEGAN - 300)
    assert status.studies_per_hour is None
    assert status.left == 8


def test_damaged_lines_are_counted_and_their_studies_are_left(tmp_path: Path) -> None:
    write_run(tmp_path, 3, [BEGAN + 1, BEGAN + 2, BEGAN + 3])
    lines = (tmp_path / LEDGER_FILE).read_bytes().splitlines(keepends=True)
    lines[3] = b"x" * 40 + b"\n"
    (tmp_path / LEDGER_FILE).write_bytes(b"".join(lines))
    status = read_status(tmp_path)
    assert (status.state, status.done, status.left, status.damaged_lines) == (STOPPED, 2, 1, 1)


def test_a_killed_run_leaves_what_it_had_begun(tmp_path: Path) -> None:
    write_run(tmp_path, 3, [BEGAN + 1])
    with (tmp_path / LEDGER_FILE).open("ab") as file:
        file.write(encode({"name": "x", "begun": "with others"}) + b'{"name": "y", "val')
    (tmp_path / ".mimir.lock").touch()
    status = read_status(tmp_path)
    assert (status.state, status.begun, status.left, status.damaged_lines) == (STOPPED, 1, 2, 0)


def test_folders_without_a_readable_ledger_are_told_apart(tmp_path: Path) -> None:
    assert read_status(tmp_path / "gone").state == NOT_BEGUN
    assert not (tmp_path / "gone").exists()
    (tmp_path / LEDGER_FILE).write_bytes(bytes(100))
    status = read_status(tmp_path)
    assert status.state == UNREADABLE
    assert "first line" in status.reason
    with folder_lock(tmp_path / "new"):
        assert read_status(tmp_path / "new").state == RUNNING


def test_shards_are_summed_up(tmp_path: Path) -> None:
    times = [BEGAN + 60 * (number + 1) for number in range(10)]
    write_run(tmp_path / "a", 10, times, failed=1)
    write_run(tmp_path / "b", 40, times, failed=2)
    write_run(tmp_path / "c", 20, times)
    with folder_lock(tmp_path / "b"), folder_lock(tmp_path / "c"):
        runs = [read_status(tmp_path / name, times[-1]) for name in "abc"]
    total = together(runs)
    assert [run.state for run in runs] == [FINISHED, RUNNING, RUNNING]
    assert (total.state, total.studies, total.done, total.left) == (RUNNING, 70, 27, 40)
    assert total.failed == {"NOT_A_ZIP": 3}
    assert total.studies_per_hour == pytest.approx(120), "of those that work"
    assert total.seconds_left == pytest.approx(30 * 60), "the slowest shard"
    assert total.disk_bytes == sum(run.disk_bytes for run in runs)


def test_sizes_are_those_of_the_files(tmp_path: Path) -> None:
    write_run(tmp_path, 1, [BEGAN])
    (tmp_path / "projections").mkdir()
    (tmp_path / "projections" / "a.png").write_bytes(bytes(3000))
    status = read_status(tmp_path)
    assert status.projection_bytes == 3000
    assert status.disk_bytes == 3000 + (tmp_path / LEDGER_FILE).stat().st_size


def test_the_command_prints_text_or_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "a", 10, [BEGAN + 36 * (number + 1) for number in range(9)], failed=2)
    write_run(tmp_path / "b", 2, [BEGAN + 1, BEGAN + 2])
    folders = [str(tmp_path / name) for name in ("a", "b", "later")]
    assert main(["status", *folders]) == DONE
    text = capsys.readouterr().out
    assert f"{folders[0]}: stopped" in text
    assert "  7 of 10 done, 2 failed (NOT_A_ZIP 2), 1 left" in text
    assert "  100 studies per hour\n" in text
    assert "run the same command again to continue" in text
    assert f"{folders[1]}: finished" in text
    assert f"{folders[2]}: not begun" in text
    assert "3 folders together" in text
    assert "  9 of 12 done, 2 failed (NOT_A_ZIP 2), 1 left" in text
    assert main(["status", *folders, "--json"]) == DONE
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [run["state"] for run in record["runs"]] == ["stopped", "finished", "not begun"]
    assert record["together"]["done"] == 9


def test_a_folder_without_results_is_an_error_and_a_damaged_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", str(tmp_path)]) == WRONG_USE
    assert "RESULTS_MISSING" in capsys.readouterr().err
    write_run(tmp_path / "a", 1, [BEGAN])
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / LEDGER_FILE).write_bytes(b"{]\n")
    assert main(["status", str(tmp_path / "a"), str(tmp_path / "b")]) == SOME_FAILED
    text = capsys.readouterr().out
    assert f"{tmp_path / 'b'}: unreadable" in text
    assert "done" in text


@posix
def test_a_real_run_is_watched_while_it_works_and_after_it_was_killed(tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = [sys.executable, "-m", "mimir_engine", "measure", str(tmp_path / "scans")]
    command += ["--output", str(output), "--jobs", "1", "--events"]
    write_studies(tmp_path / "scans", [*"abcdefghijklmnop"])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line)["event"] == "study":
                    process.send_signal(signal.SIGSTOP)
                    break
            status = read_status(output)
            assert status.state == RUNNING
            assert (status.studies, status.done >= 1) == (16, True)
            assert status.left == 16 - status.done
        finally:
            process.kill()
            process.wait()
    status = read_status(output)
    assert status.state == STOPPED
    assert status.left == 16 - status.done > 0
    assert main(command[3:-1]) == DONE
    assert read_status(output).state == FINISHED
    with Ledger(output, read_run(output)):
        assert read_status(output).state == RUNNING


def read_run(folder: Path) -> dict[str, Any]:
    first = json.loads((folder / LEDGER_FILE).read_bytes().splitlines()[0])
    return {key: value for key, value in first.items() if key != "crc32"}


def test_results_of_earlier_runs_with_other_studies_count_as_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, 3, [BEGAN + 1, BEGAN + 2, BEGAN + 3])
    with Ledger(tmp_path, RUN) as ledger:
        ledger.begin(1, 1)
        ledger.add("new", {"value": 1})
    assert main(["status", str(tmp_path)]) == DONE
    assert "  4 done, 0 failed, 0 left\n" in capsys.readouterr().out
