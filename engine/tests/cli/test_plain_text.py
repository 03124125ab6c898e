"""Texts of inference modules and DICOM files never control the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_builder import all_files, complete_study, write_zip
from random_modules import write_without_network

from mimir_engine.cli import DONE, main

Capture = pytest.CaptureFixture[str]

#: Clears the screen, sets the title, reverses and isolates writing, goes back to the line's start.
CONTROL = "\x1b[2J\x1b]0;title\x07\u202e\u2066\u200f\r\x9b31m\u2028\x00"


@pytest.fixture(autouse=True)
def hostile_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIMIR_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    text = f"A{CONTROL}B\nfolder       /forged"
    return write_without_network(
        tmp_path / "weights" / "trial", title=text, description=text, licence=text
    )


def printed(capture: Capture) -> list[str]:
    captured = capture.readouterr()
    lines = [*captured.out.split("\n"), *captured.err.split("\n")]
    assert all(line.isprintable() for line in lines)
    return lines


@pytest.mark.parametrize("action", [["list"], ["show", "trial"]])
def test_texts_of_a_module_are_printed_as_plain_text(action: list[str], capsys: Capture) -> None:
    assert main(["modules", *action]) == DONE
    lines = printed(capsys)
    assert any("A" in line and "B" in line for line in lines)
    assert not any(line.startswith("folder       /forged") for line in lines)


def test_texts_of_a_study_are_printed_as_plain_text(tmp_path: Path, capsys: Capture) -> None:
    files = [
        file._replace(name=f"x{CONTROL[:5]}{number}.dcm", content=file.content)
        for number, file in enumerate(all_files(complete_study()))
    ]
    other = files[0]._replace(name=f"y{CONTROL[:5]}.dcm", content=b"no DICOM")
    write_zip(tmp_path / "a\u202eb.zip", [*files, other])
    assert main(["scan", str(tmp_path / "a\u202eb.zip")]) in (0, 1)
    lines = printed(capsys)
    assert any(line.startswith("a_b: ") for line in lines)
