"""Finished runs that tests of packaging share; they must not change them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, data they were not trained on, and a cross-validation's folder."""
    from finished_runs import IDENTITY, dataset, write_crossvalidation, write_run  # need PyTorch
    from image_folder_builder import write_image_folder

    folder = tmp_path_factory.mktemp("work")
    for number in (1, 2):
        training = dataset(6, seed=number)
        write_run(folder / f"run{number}", training, number)
        write_image_folder(folder / f"training{number}", training)
    write_image_folder(folder / "held-out", dataset(4, seed=5))
    write_crossvalidation(folder / "cv", "resnet18")
    (folder / "identity.json").write_text(json.dumps(IDENTITY), "utf-8")
    return folder


@pytest.fixture(scope="session")
def ensemble(work: Path) -> Path:
    """Both runs, calibrated on the cross-validation, by the command line."""
    from mimir_engine.cli import main

    command = ["package", str(work / "run1"), str(work / "run2"), "--calibration", str(work / "cv")]
    command += ["--identity", str(work / "identity.json"), "--output", str(work / "livers")]
    assert main(command) == 0
    return work / "livers"
