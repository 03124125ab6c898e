"""Fixtures that the module's tests share: the paths that Slicer sets up, and a phantom study."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

MODULE_FOLDER = Path(__file__).resolve().parents[1]
ENGINE_FOLDER = MODULE_FOLDER.parent / "engine"
sys.path[:0] = [str(MODULE_FOLDER), str(ENGINE_FOLDER)]

Condition = Callable[[], object]


@pytest.fixture(scope="session")
def phantom_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic study of six stations, as in UK Biobank; tests must not change it."""
    folder = tmp_path_factory.mktemp("phantom")
    command = [sys.executable, "-m", "mimir_engine", "phantom", f"--output={folder}", "--count=1"]
    subprocess.run(command, cwd=ENGINE_FOLDER, check=True, capture_output=True)
    (archive,) = folder.glob("*.zip")
    return archive


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """``wait_until(condition, seconds)`` checks every 20 ms and fails after that time."""

    def wait(condition: Condition, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.02)

    return wait
