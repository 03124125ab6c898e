"""Describe a training run, so that it can be repeated to the bit on the same CPU."""

from __future__ import annotations

import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mimir_engine
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.recipe import Recipe

#: List of the studies of a run, and the state of those that it is trained on.
RUN_STUDIES, USED = "studies.csv", "used"


def write_run_files(folder: Path, dataset: Dataset, recipe: Recipe, device: str) -> None:
    """Write ``run.json``, and ``studies.csv``: each study, whether it was used, and why not."""
    rows = [(study.name, study.person, USED) for study in dataset.studies]
    rows += [(name, "", why) for why, names in dataset.left_out.items() for name in names]
    write_csv(folder / RUN_STUDIES, ("study", "person", "state"), rows)
    data = describe_data(dataset)
    settings = {"recipe": asdict(recipe), "data": data, **describe_environment(device)}
    write_json(folder / "run.json", settings)


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """Describe a data set in numbers and hashes, without naming a study."""
    labels = np.isfinite(dataset.targets).sum(axis=0).tolist()
    return {
        "fingerprint": dataset.fingerprint,
        "projection": dataset.projection,
        "studies": len(dataset),
        "persons": len({study.person for study in dataset.studies}),
        "targets": [
            {**asdict(definition), "labels": count}
            for definition, count in zip(dataset.definitions, labels)
        ],
        "provenance": dict(dataset.provenance),
    }


def describe_environment(device: str) -> dict[str, Any]:
    """Return versions, device and threads, which all affect rounding."""
    return {
        "mimir": mimir_engine.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__),
        "machine": platform.machine(),
        "device": device,
        "threads": torch.get_num_threads(),
    }
