"""Measure cohorts of unseen phantoms with inference modules, as `mimir infer` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mimir_engine.cli._progress_bar import counted
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.atomic import atomic_file
from mimir_engine.inference_module import InferenceModule, load_module
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.measuring.measurement import measure
from mimir_engine.measuring.network import Predictor
from mimir_engine.training.calibration import bounds_by_sex
from mimir_engine.training.conformal import LEVELS
from mimir_engine.training.dataset import Dataset, load_dataset

#: Levels of the calibration curve; at 0 and 1 every curve is exact.
CURVE = (0.0, *LEVELS, 1.0)


@dataclass(frozen=True, eq=False)
class MeasuredCohort:
    """Measurements of a cohort of phantoms.

    Attributes:
        predictions: With references, intervals of the default level, and the recorded "sex".
        lower: Lower bounds at each of `LEVELS`, float64 ``(levels, phantoms, targets)``.
        upper: Upper bounds, likewise.
    """

    predictions: Predictions
    lower: np.ndarray
    upper: np.ndarray

    def curve(self) -> np.ndarray:
        """Compute the coverage of intervals of each level of `CURVE`, ``(targets, levels)``."""
        reference = self.predictions.reference
        inside = (self.lower <= reference) & (reference <= self.upper)
        inner = inside.mean(axis=1).T
        return np.pad(inner, ((0, 0), (1, 1)), constant_values=(0.0, 1.0))


def measure_cohort(modules: Sequence[Path], data: Path, cache: Path) -> MeasuredCohort:
    """Measure a folder of phantom projections, each phantom with one of the modules in turn.

    Args:
        modules: Folders of modules of the same targets. Several are not an ensemble, but the
            networks of a cross-validation's folds, which are equally good for a new phantom.
        data: Folder of `mimir phantom --projections`.
        cache: File (.npz) that keeps the predictions, so that a killed run can be resumed.
    """
    loaded, dataset = [load_module(folder) for folder in modules], load_dataset(data)
    turns = [np.arange(turn, len(dataset), len(loaded)) for turn in range(len(loaded))]
    if not cache.exists():
        _predict(loaded, turns, dataset, cache)
    with np.load(cache) as kept:
        mean, variance = kept["mean"], kept["variance"]
    sd = np.sqrt(variance)
    lower, upper = (np.empty((len(LEVELS), *mean.shape)) for _ in range(2))
    for module, rows in zip(loaded, turns):
        sexes = [measure(module, mean[row], variance[row])[0].sex or "" for row in rows]
        for place, level in enumerate(LEVELS):
            lower[place, rows], upper[place, rows] = bounds_by_sex(
                module.targets, mean[rows], sd[rows], sexes, level
            )
    recorded = ("male" if sex else "female" for sex in dataset.covariates["sex"])
    predictions = dataset.predictions(mean, sd, {"sex": recorded})
    at = LEVELS.index(DEFAULT_LEVEL)
    bounds = {"lower": lower[at], "upper": upper[at], "level": DEFAULT_LEVEL}
    return MeasuredCohort(replace(predictions, **bounds), lower, upper)


def _predict(
    modules: Sequence[InferenceModule],
    turns: Sequence[np.ndarray],
    dataset: Dataset,
    cache: Path,
) -> None:
    shape = dataset.targets.shape
    mean, variance = np.empty(shape), np.empty(shape)
    done = 0
    with counted("phantom", cache.stem) as show:
        for module, rows in zip(modules, turns):
            predicted = Predictor(module).predict(dataset.read_images(rows))
            mean[rows], variance[rows] = predicted.mean, predicted.variance
            done += len(rows)
            show(done, len(dataset))
    with atomic_file(cache) as file:
        np.savez(file, mean=mean, variance=variance)
