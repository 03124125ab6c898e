"""The course of a training run as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mimir_engine.whole_csv import write_csv


class TrainingLog:
    """A CSV of a row a step: learning rate, loss, each target's RMSE in the batch (SD), seconds.

    Rows after `steps_done` (of a run that was killed after its last checkpoint) are dropped.
    """

    def __init__(self, path: Path, target_names: Sequence[str], steps_done: int) -> None:
        self._path = path
        rows: list[list[str]] = []
        if path.exists() and steps_done:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))[1 : steps_done + 1]
        header = ["step", "learning_rate", "loss", *(f"rmse_{n}" for n in target_names), "seconds"]
        write_csv(path, header, rows)

    def write(
        self, step: int, rate: float, loss: float, errors: np.ndarray, seconds: float
    ) -> None:
        """One step; the file is closed after it, so that a kill loses nothing."""
        row = [step, f"{rate:.3e}", f"{loss:.5f}", *(f"{e:.4f}" for e in errors), f"{seconds:.3f}"]
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(row)
