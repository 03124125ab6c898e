"""What a run hangs on, written down so that it can be repeated to the bit on the CPU."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mimir_engine
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.selection import write_choice
from mimir_engine.whole_files import whole_file


def write_record(folder: Path, dataset: Dataset, recipe: Recipe, device: str) -> None:
    """Write ``run.json``, and ``studies.csv``: who was used, and who was not, and why."""
    write_choice(folder, dataset)
    write_json(
        folder / "run.json",
        {"recipe": asdict(recipe), "data": describe_data(dataset), **surroundings(device)},
    )


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """A data set in numbers and hashes; it names no study."""
    labels = np.isfinite(dataset.targets).sum(axis=0).tolist()
    return {
        "fingerprint": dataset.fingerprint(),
        "projection": dataset.projection,
        "studies": len(dataset),
        "persons": len({study.person for study in dataset.studies}),
        "targets": [
            {**asdict(definition), "labels": count}
            for definition, count in zip(dataset.definitions, labels)
        ],
        "provenance": dict(dataset.provenance),
    }


def surroundings(device: str) -> dict[str, Any]:
    """Versions, device and threads: others may round differently."""
    return {
        "mimir": mimir_engine.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__),
        "machine": platform.machine(),
        "device": device,
        "threads": torch.get_num_threads(),
    }


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """A whole file or none."""
    with whole_file(path) as file:
        file.write(json.dumps(record, indent=1).encode("ascii") + b"\n")
