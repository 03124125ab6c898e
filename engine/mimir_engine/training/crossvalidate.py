"""Cross-validation: predict every study with a network that has not seen its person.

The folder of a cross-validation holds

* ``crossvalidation.json``: recipe, folds, data, versions, and whether it is finished;
* ``folds.csv``: study, person, fold;
* ``fold-1/`` and so on: runs of `fit`, each with ``predictions.npz`` of its held-out studies;
* ``out_of_fold.csv``: all these predictions together, raw, before any calibration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, write_predictions
from mimir_engine.evaluation.subgroups import age_band
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.files.json_file import write_json
from mimir_engine.inference_module.statistics import recorded_sex
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.fit import CHECKPOINT_SECONDS, Progress, fit
from mimir_engine.training.folds import assign_folds
from mimir_engine.training.predict import predict_dataset
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.run_files import describe_data, describe_environment

DESCRIPTION_FILE, OUT_OF_FOLD = "crossvalidation.json", "out_of_fold.csv"
PREDICTIONS = "predictions.npz"


def crossvalidate(
    dataset: Dataset,
    output_dir: Path,
    recipe: Recipe,
    folds: int = 5,
    progress: Callable[[int, Progress], None] = lambda fold, step: None,
    fold_seed: int = 0,
    device: str = "cpu",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> bool:
    """Train one network per fold and collect its predictions of the studies it has not seen.

    When called again, a run that was stopped or killed continues, also within a fold, and ends with
    the same numbers; a finished one is left unchanged. The folds depend on `fold_seed` alone, so
    that recipes can be compared on the same folds.

    Args:
        dataset: Studies to predict.
        output_dir: Folder to create or to continue in.
        recipe: Settings of the training.
        folds: Number of folds.
        progress: Called with the fold and its finished step.
        fold_seed: Seed of the folds.
        device: Device to train and predict on.
        checkpoint_seconds: Longest time between checkpoints, if a step does not take longer.

    Returns:
        True if it is finished, False if it was stopped.

    Raises:
        MimirError: ``CROSSVALIDATION_MISMATCH`` if the folder holds one of another recipe, data set
            or number of folds, ``OUTPUT_IN_USE``, and the errors of `assign_folds`, `fit` and
            `write_predictions`.
    """
    settings = {"recipe": asdict(recipe), "folds": folds, "fold_seed": fold_seed}
    description = json.loads(json.dumps({**settings, "data": describe_data(dataset)}))
    with folder_lock(output_dir):
        if _is_finished(output_dir, description):
            return True
        persons = [study.person for study in dataset.studies]
        fold_of = assign_folds(persons, folds, dataset.covariates, fold_seed)
        description |= describe_environment(device)
        write_json(output_dir / DESCRIPTION_FILE, {**description, "finished": False})
        rows = [(s.name, s.person, int(fold)) for s, fold in zip(dataset.studies, fold_of)]
        write_csv(output_dir / "folds.csv", ("study", "person", "fold"), rows)
        estimates = np.full((2, *dataset.targets.shape), np.nan)  # mean and SD
        for fold in range(1, folds + 1):
            folder, held_out = output_dir / f"fold-{fold}", fold_of == fold
            found = _predicted(folder, estimates[:, held_out].shape)
            if found is None:
                trained, step = dataset.subset(~held_out), partial(progress, fold)
                if not fit(trained, folder, recipe, step, checkpoint_seconds, device):
                    return False
                network, studies = load_checkpoint(folder), dataset.subset(held_out)
                found = np.stack(predict_dataset(network, studies, device))
                with atomic_file(folder / PREDICTIONS) as file:
                    np.savez(file, mean=found[0], sd=found[1])
            estimates[:, held_out] = found
        write_predictions(output_dir / OUT_OF_FOLD, _out_of_fold(dataset, estimates, fold_of))
        write_json(output_dir / DESCRIPTION_FILE, {**description, "finished": True})
        return True


def _is_finished(folder: Path, description: dict[str, Any]) -> bool:
    """Return whether the folder holds this cross-validation, finished; refuse any other."""
    path = folder / DESCRIPTION_FILE
    if not path.exists():
        return False
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        other = [name for name, value in description.items() if found[name] != value]
        if not other:
            return bool(found["finished"])
        held = f"a cross-validation with other {', '.join(other)}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        held = "something other than a cross-validation"
    raise MimirError(
        "CROSSVALIDATION_MISMATCH",
        f"{folder.name} holds {held}",
        "Choose another folder, or repeat the options it was started with.",
    )


def _predicted(folder: Path, shape: tuple[int, ...]) -> Optional[np.ndarray]:
    """Read a fold's means and SDs; None if they are absent or damaged, so are made again."""
    try:
        with open(folder / PREDICTIONS, "rb") as file:
            arrays = np.load(file, allow_pickle=False)
            found = np.stack([arrays["mean"], arrays["sd"]])
    except Exception:  # NumPy raises many kinds on damaged files
        return None
    return found if found.shape == shape else None


def _out_of_fold(dataset: Dataset, estimates: np.ndarray, fold_of: np.ndarray) -> Predictions:
    """Combine the folds' means and SDs with the targets, in the targets' units."""
    groups: dict[str, Iterable[str]] = {
        "person": (study.person for study in dataset.studies),
        "fold": map(str, fold_of),
    }
    if "sex" in dataset.covariates:
        groups["sex"] = map(recorded_sex, dataset.covariates["sex"])
    if "age" in dataset.covariates:
        groups["age_band"] = (age_band(age, "-") for age in dataset.covariates["age"])
    mean, sd = estimates
    return dataset.predictions(mean, sd, groups)
