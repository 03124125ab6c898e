"""One bar on a terminal, lines elsewhere: what is really written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("terminal", reason="this system has no pseudo-terminals", exc_type=ImportError)
pytest.importorskip("tqdm")

from cohort_builder import write_studies
from terminal import MIMIR, Terminal, on_terminal

from mimir_engine.cli import CANCELLED, SOME_FAILED

MEASURE = ("measure", "scans", "--output", "results", "--jobs", "1")
#: The bar at its end: percentage, count, time, rate and failures of this run.
BAR = r" *{percent}%\|\S*? *\| {count} \[[\d:]+<[\d:?]+, +[\d.?]+ ?s?/?{unit}(/s)?, {note}\]"


def is_bar(line: str, count: str, note: str, percent: int = 100, unit: str = "study") -> bool:
    return bool(re.fullmatch(BAR.format(percent=percent, count=count, unit=unit, note=note), line))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two studies and a broken archive, in a folder of their own."""
    write_studies(tmp_path / "scans", ["a", "b"])
    (tmp_path / "scans" / "broken.zip").write_bytes(b"PK\x03\x04")
    return tmp_path


@pytest.mark.parametrize(
    "command", [MEASURE, ("project", "scans", "--dataset", "images"), ("check", *MEASURE[1:])]
)
def test_a_terminal_shows_one_bar_with_messages_above_it(
    command: tuple[str, ...], scans: Path
) -> None:
    terminal = on_terminal(scans, *command, status=SOME_FAILED)
    *above, bar, last, end = terminal.screen()
    assert is_bar(bar, "3/3", "1 failed"), bar
    assert last.startswith("2 studies done, 1 failed")
    assert end == ""
    messages = "\n".join(above)
    assert messages.startswith("3 studies\n")
    assert len([line for line in above if ": broken: " in line]) == 1
    assert " done" not in messages  # studies that are done have no line
    assert b"0/3 [00:00<?, ?study/s, 0 failed]" in terminal.written


def test_what_is_read_from_a_pipe_has_a_line_per_study_and_no_bar(scans: Path) -> None:
    done = subprocess.run([*MIMIR, *MEASURE], cwd=scans, capture_output=True, check=False)
    text = done.stderr.decode("ascii")
    assert "\r" not in text.replace("\r\n", "\n")
    assert len(re.findall(r"^[ab] done .*\[\d/3, .* left\]", text, re.MULTILINE)) == 2
    assert len(re.findall(r"^[A-Z_]+: broken: .*\[\d/3, .* left\]", text, re.MULTILINE)) == 1


@pytest.mark.parametrize(
    ("first", "environment"),
    [
        ("import sys; sys.modules['tqdm'] = None", {}),
        (None, {"TERM": "dumb"}),
    ],
)
def test_a_terminal_without_a_bar_shows_lines(
    first: str | None, environment: dict[str, str], scans: Path
) -> None:
    terminal = on_terminal(scans, *MEASURE, status=SOME_FAILED, first=first, **environment)
    lines = terminal.screen()
    assert sum(" done" in line and "/3, " in line for line in lines) == 2
    assert b"|" not in terminal.written


def test_a_terminal_that_knows_ascii_alone_gets_nothing_else(scans: Path) -> None:
    terminal = on_terminal(scans, *MEASURE, status=SOME_FAILED, PYTHONIOENCODING="ascii")
    assert terminal.written.isascii()
    assert is_bar(terminal.screen()[-3], "3/3", "1 failed")
    assert "#" in terminal.screen()[-3]


def test_events_are_never_mixed_with_a_bar(scans: Path) -> None:
    terminal = on_terminal(scans, *MEASURE, "--events", status=SOME_FAILED)
    assert all(line.startswith("{") for line in terminal.screen() if line)


def test_a_resumed_run_starts_with_what_is_done_and_counts_new_failures_alone(
    scans: Path,
) -> None:
    (scans / "scans" / "broken.zip").unlink()
    on_terminal(scans, *MEASURE)
    write_studies(scans / "scans", ["c", "d"])
    terminal = on_terminal(scans, *MEASURE)
    assert b" 50%|" in terminal.written
    assert b"| 2/4 [00:00<?" in terminal.written
    assert is_bar(terminal.screen()[-3], "4/4", "0 failed")
    again = on_terminal(scans, *MEASURE)
    assert b"|" not in again.written  # nothing was left


def test_ctrl_c_leaves_the_bar_and_one_line_below_it(scans: Path) -> None:
    write_studies(scans / "scans", [f"study{number:02}" for number in range(40)])
    terminal = Terminal([*MIMIR, *MEASURE], scans)
    terminal.read_until(b"| 1/43 [")
    terminal.signal(signal.SIGINT)
    assert terminal.end() == CANCELLED
    *_, bar, last, end = terminal.screen()
    assert re.match(r" +\d+%\|.*\d+/43 \[.*\](\^C)?$", bar)
    assert last.startswith("CANCELLED: stopped before the end.")
    assert end == ""


def test_a_terminal_that_goes_away_does_not_stop_a_run(scans: Path) -> None:
    terminal = Terminal([*MIMIR, *MEASURE], scans)
    terminal.read_until(b"| 1/3 [")
    assert terminal.close() == SOME_FAILED
    assert (scans / "results" / "run.json").is_file()


EVENTS = """
from mimir_engine.cli._progress import shown_events
study = {"event": "study", "name": "a", "state": "done", "findings": ["SEEN"], "seconds_left": 0}
with shown_events() as listener:
    listener({"event": "run", "studies": 9, "already_done": 7})
    listener({"event": "step", "name": "a", "step": "read"})
    listener({**study, "done": 1, "total": 2, "unusual": {"m": "Unlike all others."}})
    listener({"event": "ledger_damaged", "lines": 3})
    listener({**study, "done": 2, "total": 2})
    listener({"event": "drift", "groups": [], "meaning": "All is well."})
"""


def test_notes_stand_above_the_bar_and_what_comes_after_the_last_study_below(
    tmp_path: Path,
) -> None:
    terminal = Terminal([sys.executable, "-c", EVENTS], tmp_path)
    assert terminal.end() == 0
    first, unusual, damaged, bar, drift, end = terminal.screen()
    assert first == "9 studies, 7 of them already done"
    assert unusual == "UNUSUAL_SCAN: a: Unlike all others."
    assert damaged.startswith("LEDGER_DAMAGED: 3 lines")
    assert is_bar(bar, "9/9", "0 failed")
    assert (drift, end) == ("All is well.", "")


def test_phantoms_are_counted_below_their_names(tmp_path: Path) -> None:
    command = ("phantom", "--output", "made", "--count", "2", "--light", "--population", "1")
    terminal = on_terminal(tmp_path, *command)
    *names, bar, end = terminal.screen()
    assert len(names) == 2
    assert all((tmp_path / name).is_file() for name in names)
    assert re.match(r"100%\|.*\| 2/2 \[", bar)
    assert end == ""
    assert re.match(r"100%\|.*\| 2/2 \[", on_terminal(tmp_path, *command).screen()[-2])


def test_projections_of_phantoms_are_counted(tmp_path: Path) -> None:
    terminal = on_terminal(tmp_path, "phantom", "--output", "made", "--count", "3", "--projections")
    assert re.search(r"100%\|.*\| 3/3 \[", "\n".join(terminal.screen()))


@pytest.mark.parametrize(
    ("command", "above", "end"),
    [
        (("train", "--seeds", "0,3"), "trained; see runs{}seed-3", "seed-3, loss"),
        (("crossvalidate", "--folds", "2"), "2 folds done; see", "fold 2/2, loss"),
    ],
)
def test_the_steps_of_all_runs_have_one_bar(
    command: tuple[str, ...],
    above: str,
    end: str,
    training_images: Callable[[Path], list[str]],
    tmp_path: Path,
) -> None:
    options = training_images(tmp_path)
    terminal = on_terminal(tmp_path, *command, *options, "--output", "runs", OMP_NUM_THREADS="1")
    text = "\n".join(terminal.screen())
    assert above.format("/") in text
    (bar,) = (line for line in terminal.screen() if "%|" in line)
    assert re.match(rf"100%\|.*\| 4/4 \[.*, {end} -?[\d.]+\]", bar)


@pytest.fixture
def training_images() -> Callable[[Path], list[str]]:
    """Writes images and a table of targets; returns the options of a short training."""
    pytest.importorskip("torch")
    import numpy as np
    from small_training import small_dataset

    from mimir_engine.files.csv_writer import write_csv

    def write(folder: Path) -> list[str]:
        dataset = small_dataset()
        (folder / "data").mkdir()
        np.save(folder / "data" / "images.npy", dataset.images)
        studies = [(row, s.name, s.eid, s.instance) for row, s in enumerate(dataset.studies)]
        write_csv(folder / "data" / "studies.csv", ("row", "name", "eid", "instance"), studies)
        rows = [(s.name, "water", dataset.targets[row, 0]) for row, s in enumerate(dataset.studies)]
        write_csv(folder / "targets.csv", ("study", "target", "value"), rows)
        quick = ["--recipe", "short", "--steps", "2", "--device", "cpu"]
        return ["data", "--targets", "targets.csv", *quick]

    return write
