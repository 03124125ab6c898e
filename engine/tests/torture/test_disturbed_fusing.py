"""Runs of ``mimir fuse`` that are disturbed at some places; the program alone disturbs them all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

PROGRAM = Path(__file__).resolve().parents[2] / "torture" / "disturbed_fusing.py"


@pytest.mark.skipif(sys.platform == "win32", reason="forks processes")
def test_a_disturbed_run_is_resumed_to_the_same_volumes_and_none_is_half_written() -> None:
    command = [sys.executable, str(PROGRAM), "--most", "20"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert "20 disturbed runs, 0 problems" in run.stdout
