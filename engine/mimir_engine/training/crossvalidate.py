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
from typing import Any

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, write_predictions
from mimir_engine.evaluation.subgroups import age_band
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.inference_module.statistics import recorded_sex
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.fit import Progress, fit
from mimir_engine.training.folds import assign_folds
from mimir_engine.training.predict import predict_dataset
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.run_files import describe_data, describe_environment

DESCRIPTION_FILE, OUT_OF_FOLD = "crossvalidation.json", "out_of_fold.csv"


def crossvalidate(
    dataset: Dataset,
    output_dir: Path,
    recipe: Recipe,
    folds: int = 5,
    progress: Callable[[int, Progress], None] = lambda fold, step: None,
    fold_seed: int = 0,
    device: str = "cpu",
    checkpoint_every: int = 50,
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
        checkpoint_every: Steps between checkpoints.

    Returns:
        True if it is finished, False if it was stopped.

    Raises:
        MimirError: ``CROSSVALIDATION_MISMATCH`` if the folder holds one of another recipe, data set
            or number of folds, and the errors of `assign_folds`, `fit` and `write_predictions`.
    """
    settings = {"recipe": asdict(recipe), "folds": folds, "fold_seed": fold_seed}
    description = json.loads(json.dumps({**settings, "data": describe_data(dataset)}))
    if _is_finished(output_dir, description):
        return True
    persons = [study.person for study in dataset.studies]
    fold_of = assign_folds(persons, folds, dataset.covariates, fold_seed)
    output_dir.mkdir(parents=True, exist_ok=True)
    description |= describe_environment(device)
    write_json(output_dir / DESCRIPTION_FILE, {**description, "finished": False})
    rows = [(s.name, s.person, int(fold)) for s, fold in zip(dataset.studies, fold_of)]
    write_csv(output_dir / "folds.csv", ("study", "person", "fold"), rows)
    for fold in range(1, folds + 1):
        folder = output_dir / f"fold-{fold}"
        if (folder / "predictions.npz").exists():
            continue
        trained = dataset.subset(fold_of != fold)
        if not fit(trained, folder, recipe, partial(progress, fold), checkpoint_every, device):
            return False
        held_out = dataset.subset(fold_of == fold)
        mean, sd = predict_dataset(load_checkpoint(folder), held_out, device)
        with atomic_file(folder / "predictions.npz") as file:
            np.savez(file, mean=mean, sd=sd)
    write_predictions(output_dir / OUT_OF_FOLD, _out_of_fold(dataset, output_dir, fold_of))
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
    except (OSError, ValueError, KeyError, TypeError):
        held = "something other than a cross-validation"
    raise MimirError(
        "CROSSVALIDATION_MISMATCH",
        f"{folder.name} holds {held}",
        "Choose another folder, or repeat the options it was started with.",
    )


def _out_of_fold(dataset: Dataset, folder: Path, fold_of: np.ndarray) -> Predictions:
    """Collect the folds' predictions beside the targets, in the targets' units."""
    mean, sd = np.full((2, *dataset.targets.shape), np.nan)
    for fold in np.unique(fold_of):
        with np.load(folder / f"fold-{fold}" / "predictions.npz", allow_pickle=False) as predicted:
            mean[fold_of == fold], sd[fold_of == fold] = predicted["mean"], predicted["sd"]
    groups: dict[str, Iterable[str]] = {
        "person": (study.person for study in dataset.studies),
        "fold": map(str, fold_of),
    }
    if "sex" in dataset.covariates:
        groups["sex"] = map(recorded_sex, dataset.covariates["sex"])
    if "age" in dataset.covariates:
        groups["age_band"] = (age_band(age, "-") for age in dataset.covariates["age"])
    return dataset.predictions(mean, sd, groups)
