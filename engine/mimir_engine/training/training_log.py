"""The log of a training run: one row per step."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from mimir_engine.files.atomic import atomic_file, output_errors
from mimir_engine.files.csv_writer import write_csv


class TrainingLog:
    """A CSV of learning rate, loss, each target's RMSE in the batch (SD) and seconds per step.

    Rows after `steps_done` (of a run that was killed after its last checkpoint) are dropped.
    """

    def __init__(self, path: Path, target_names: Sequence[str], steps_done: int) -> None:
        self._path = path
        if path.exists() and steps_done:
            with output_errors(path), path.open("rb") as file:
                kept = list(islice(file, steps_done + 1))  # with the header, as they were written
            with atomic_file(path) as shortened:
                shortened.writelines(kept)
            return
        errors = [f"rmse_{name}" for name in target_names]
        write_csv(path, ["step", "learning_rate", "loss", *errors, "seconds"], [])

    def write(
        self, step: int, rate: float, loss: float, errors: np.ndarray, seconds: float
    ) -> None:
        """Append one step and close the file, so that a kill loses nothing.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        row = [step, f"{rate:.3e}", f"{loss:.5f}", *(f"{e:.4f}" for e in errors), f"{seconds:.3f}"]
        with output_errors(self._path), self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(row)
