"""Fixtures that many tests share, and a note on what was not tested."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from dicom_builder import File, all_files, complete_study, write_zip

#: Windows lets administrators make links; the engine makes none, only tests do.
NO_RIGHT_TO_LINK = 1314

# A shell lets commands in the background ignore Ctrl-C, and what they start inherits that.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Skip tests that make links where the system refuses."""
    try:
        return (yield)
    except OSError as error:
        if getattr(error, "winerror", None) == NO_RIGHT_TO_LINK:
            pytest.skip("this system lets administrators only make links")
        raise


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
