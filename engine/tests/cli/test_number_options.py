"""Numbers out of range are refused in one line, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cli import WRONG_USE, main

HUGE = str(10**12)
COMMANDS = {
    "phantom": ["--output", "out"],
    "train": ["data", "--output", "out"],
    "crossvalidate": ["data", "--output", "out"],
    "demo": ["--output", "out"],
    "evaluate": ["table.csv", "--output", "out"],
}


@pytest.mark.parametrize("value", ["-1", HUGE, "9" * 10_000, "1e3", "nan", ""])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        *(("phantom", option) for option in ("--count", "--seed", "--jobs", "--repeat")),
        *(("train", option) for option in ("--seed", "--steps")),
        *(("crossvalidate", option) for option in ("--folds", "--seed", "--fold-seed", "--steps")),
        ("demo", "--seed"),
        *(("evaluate", option) for option in ("--seed", "--bootstrap")),
    ],
)
def test_a_number_out_of_range_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    option: str,
    value: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main([command, *COMMANDS[command], f"{option}={value}"])
    assert exit_.value.code == WRONG_USE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"WRONG_USE: argument {option}: must be a whole number from ")
    assert len(line) < 200
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("seeds", ["0,-1", f"0,{HUGE}", ",".join(map(str, range(101)))])
def test_seeds_of_an_ensemble_out_of_range_are_refused(
    seeds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *COMMANDS["train"], f"--seeds={seeds}"]) == WRONG_USE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("WRONG_USE: --seeds ")


@pytest.mark.parametrize("size", ["0", "-1", "5", "nan", "inf", "wide"])
def test_a_size_out_of_range_is_refused(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["phantom", *COMMANDS["phantom"], f"--shift-size={size}"])
    assert exit_.value.code == WRONG_USE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("WRONG_USE: argument --shift-size: must be a number above 0, up to 4")
