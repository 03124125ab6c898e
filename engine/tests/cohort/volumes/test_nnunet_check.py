"""nnU-Net's own check accepts a data set that ``mimir fuse`` wrote of phantoms and their labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mimir_engine.cli import DONE, main

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")
checks = pytest.importorskip(
    "nnunetv2.experiment_planning.verify_dataset_integrity", reason="nnU-Net is not installed"
)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A data set of two phantoms."""
    phantoms, dataset = tmp_path / "phantoms", tmp_path / "raw" / "Dataset001_Phantoms"
    phantom = ["phantom", "--labels", "--light", "--population", "1", "--count", "2"]
    assert main([*phantom, "--output", str(phantoms)]) == DONE
    command = ["fuse", str(phantoms), "--layout", "nnunet", "--labels", str(phantoms)]
    assert main([*command, "--jobs", "1", "--output", str(dataset)]) == DONE
    return dataset


def test_nnunet_accepts_a_data_set_of_phantoms(dataset: Path) -> None:
    described = json.loads((dataset / "dataset.json").read_text("ascii"))
    assert described["numTraining"] == 2
    assert described["channel_names"] == {"0": "water", "1": "fat"}
    assert "liver" in described["labels"]
    checks.verify_dataset_integrity(str(dataset), num_processes=1)


def test_nnunet_refuses_a_data_set_without_one_channel(dataset: Path) -> None:
    next(dataset.glob("imagesTr/*_0001.nii.gz")).unlink()
    with pytest.raises((AssertionError, RuntimeError)):
        checks.verify_dataset_integrity(str(dataset), num_processes=1)
