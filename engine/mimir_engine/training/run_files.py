"""What a run hangs on, written down so that it can be repeated to the bit on the CPU."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mimir_engine
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.training.data_selection import write_choice
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.recipe import Recipe


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


class TrainingLog:
    """A CSV of a row a step: learning rate, loss, each target's RMSE in the batch (SD), seconds.

    Rows after `steps_done` (of a run that was killed after its last checkpoint) are dropped.
    """

    def __init__(self, path: Path, target_names: Sequence[str], steps_done: int) -> None:
        self._path = path
        if path.exists() and steps_done:
            with path.open("rb") as file:
                kept = list(islice(file, steps_done + 1))  # with the header, as they were written
            with atomic_file(path) as file:
                file.writelines(kept)
            return
        errors = [f"rmse_{name}" for name in target_names]
        write_csv(path, ["step", "learning_rate", "loss", *errors, "seconds"], [])

    def write(
        self, step: int, rate: float, loss: float, errors: np.ndarray, seconds: float
    ) -> None:
        """One step; the file is closed after it, so that a kill loses nothing."""
        numbers = [f"{rate:.3e}", f"{loss:.5f}", *(f"{e:.4f}" for e in errors), f"{seconds:.3f}"]
        with self._path.open("ab") as file:
            file.write(",".join([str(step), *numbers]).encode("ascii") + b"\n")
