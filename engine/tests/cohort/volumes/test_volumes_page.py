"""Run the worked example of docs/volumes.md."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the page is for a POSIX shell"),
]

ENGINE = Path(__file__).resolve().parents[3]
EXAMPLE = (ENGINE.parent / "docs" / "volumes.md").read_text("utf-8").split("## A worked example")[1]
STUDY = "6000000_20201_2_0"


def run_block(language: str, command: str, folder: Path) -> str:
    """Run the example's only code in a language; return what it prints."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", EXAMPLE, re.DOTALL)
    script = folder / f"block.{language}"
    script.write_text(block, "utf-8")
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ENGINE),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [*command.split(), str(script)], cwd=folder, env=environment, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the example were run."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "bin").mkdir()
    mimir = folder / "bin" / "mimir"
    mimir.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mimir_engine "$@"\n')
    mimir.chmod(0o755)
    run_block("sh", "bash -e", folder)
    return folder


def truth(folder: Path) -> dict[str, float]:
    text = (folder / "scans" / f"{STUDY}.truth.json").read_text("ascii")
    return dict(json.loads(text)["labels"]["liver"])


def test_the_labels_have_the_true_volume_and_fat_fraction(folder: Path) -> None:
    liver = next(
        row
        for row in rows(folder / "results" / "labels.csv")
        if (row["name"], row["label_name"]) == (STUDY, "liver")
    )
    true = truth(folder)
    assert float(liver["volume_litres"]) == pytest.approx(true["volume_l"], rel=1e-3)
    # The truth that noise and stitching leave; docs/volumes.md says by how much.
    assert float(liver["core_fat_fraction_percent"]) == pytest.approx(
        true["noisy_core_fat_fraction_percent"], abs=0.2
    )
    (first, _) = rows(folder / "results" / "measurements.csv")
    assert first["label_liver_volume_litres"] == liver["volume_litres"]


def test_the_commands_in_python_find_the_labels_in_the_volume(folder: Path) -> None:
    voxels, water = run_block("python", sys.executable, folder).split()
    assert int(voxels) == truth(folder)["voxels"]
    assert float(water) > 10


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_commands_in_r_average_the_labels(folder: Path) -> None:
    run_block("r", "Rscript", folder)
    means = {row["label_name"]: row for row in rows(folder / "means.csv")}
    own = [
        float(row["volume_litres"])
        for row in rows(folder / "results" / "labels.csv")
        if row["label_name"] == "liver"
    ]
    assert float(means["liver"]["volume_litres"]) == pytest.approx(sum(own) / 2)
