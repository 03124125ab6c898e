"""Removals that are disturbed at some places; the program alone disturbs them at every place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

PROGRAM = Path(__file__).resolve().parents[2] / "torture" / "disturbed_forgetting.py"


@pytest.mark.skipif(sys.platform == "win32", reason="forks processes")
def test_a_removal_that_is_disturbed_anywhere_is_repeated_to_the_same_files() -> None:
    command = [sys.executable, str(PROGRAM), "--most", "30"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert "30 disturbed removals, 0 problems" in run.stdout
