"""Batches are compared, and the constant of a scanner is estimated, on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from random_modules import write_without_network

from mimir_engine.cli import DONE, WRONG_USE, main
from mimir_engine.cohort.scanners.scan_number_table import (
    SCAN_NUMBERS_FILE,
    ScanRow,
    write_scan_numbers,
)

Capture = pytest.CaptureFixture[str]


def write_batch(folder: Path, count: int, seed: int, water: float = 1.0) -> str:
    """A folder with the numbers of some made-up scans."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    rows = [
        ScanRow(
            f"study{k}",
            [],
            {
                "noise": float(rng.lognormal(-3, 0.1)),
                "lean_to_fat": water * float(rng.lognormal(-0.2, 0.05)),
                "extent": 1100.0,
            },
            "SIEMENS Aera 1.5 T",
            "2024-03",
        )
        for k in range(count)
    ]
    write_scan_numbers(folder / SCAN_NUMBERS_FILE, rows)
    return str(folder)


def test_two_batches_are_compared(tmp_path: Path, capsys: Capture) -> None:
    before = write_batch(tmp_path / "before", 100, 1)
    after = write_batch(tmp_path / "after", 30, 2, water=0.85)
    assert main(["drift", before, after, "--output", str(tmp_path / "out")]) == DONE
    said = capsys.readouterr()
    assert said.err.startswith("BATCH_DRIFTED: all scans: 30 scans, on average unlike")
    assert "do not tell which" in said.err
    assert said.out.strip() == str(tmp_path / "out" / "drift.csv")
    assert (tmp_path / "out" / "drift.csv").is_file()


def test_like_batches_are_said_to_be_alike(tmp_path: Path, capsys: Capture) -> None:
    before = write_batch(tmp_path / "before", 100, 1)
    after = write_batch(tmp_path / "after", 30, 3)
    assert main(["drift", before, after, "--output", str(tmp_path / "out")]) == DONE
    assert capsys.readouterr().err == "all scans: 30 scans, on average like the reference.\n"


def test_scans_of_people_who_withdrew_are_left_out_of_both_batches(
    tmp_path: Path, capsys: Capture
) -> None:
    before = write_batch(tmp_path / "before", 110, 1)
    after = write_batch(tmp_path / "after", 30, 3)
    withdrawn = tmp_path / "withdrawn.csv"
    withdrawn.write_text("study0\nstudy99\n")  # study0 is in both
    asked = ["--exclude", str(withdrawn), "--output", str(tmp_path / "out")]
    assert main(["drift", before, after, *asked]) == DONE
    said = capsys.readouterr().err
    assert said.startswith("--exclude: matched 2 of 2 ids; studies left out: 2\n")
    assert "all scans: 29 scans" in said
    withdrawn.write_text("study0\nstudy1000\n")
    assert main(["drift", before, after, *asked]) == WRONG_USE
    assert capsys.readouterr().err.startswith("ID_UNMATCHED: ")


def test_the_figure_of_a_comparison_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    before = write_batch(tmp_path / "before", 100, 1)
    after = write_batch(tmp_path / "after", 30, 2, water=0.85)
    main(["drift", before, after, "--output", str(tmp_path / "out")])
    assert (tmp_path / "out" / "drift.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("folders", [["one"], ["one", "two", "three"]])
def test_a_comparison_takes_a_reference_and_a_batch(
    folders: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert main(["drift", *folders, "--output", str(tmp_path)]) == WRONG_USE
    assert capsys.readouterr().err.startswith("WRONG_USE: give a reference and a batch")


def test_a_folder_without_scan_numbers_is_refused(tmp_path: Path, capsys: Capture) -> None:
    before = write_batch(tmp_path / "before", 100, 1)
    (tmp_path / "old").mkdir()
    arguments = ["drift", before, str(tmp_path / "old"), "--output", str(tmp_path / "out")]
    assert main(arguments) == WRONG_USE
    assert capsys.readouterr().err.startswith("SCAN_NUMBERS_MISSING: the folder 'old'")


@pytest.mark.parametrize("command", ["drift", "harmonise"])
def test_a_module_that_does_not_know_its_scans_is_no_reference(
    command: str, tmp_path: Path, capsys: Capture
) -> None:
    batch = write_batch(tmp_path / "batch", 100, 1)
    module = write_without_network(tmp_path / "module")
    output = tmp_path / ("out" if command == "drift" else "site.json")
    arguments = [command, batch, "--module", str(module), "--output", str(output)]
    assert main(arguments) == WRONG_USE
    assert capsys.readouterr().err.startswith("REFERENCE_MISSING")
