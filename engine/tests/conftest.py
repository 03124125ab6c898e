"""Fixtures that many tests share, and a note on what was not tested."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dicom_builder import File, all_files, complete_study, write_zip


@pytest.fixture(scope="session")
def study_files() -> tuple[File, ...]:
    """Water and fat of three valid stations."""
    return tuple(all_files(complete_study()))


@pytest.fixture(scope="session")
def study_zip(study_files: tuple[File, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as an archive named as in UK Biobank; tests must not change it."""
    return write_zip(tmp_path_factory.mktemp("study") / "1234567_20201_2_0.zip", study_files)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not os.environ.get("MIMIR_PARITY"):
        terminalreporter.write_sep("!", "NOT compared with the published method", yellow=True)
        terminalreporter.write_line(
            "MIMIR_PARITY does not name the parity kit: only the project's own small golden image"
            " was compared, none of the published method."
        )
