"""Predictions of every study by a network that has not seen its person.

A folder of a cross-validation holds

* ``crossvalidation.json``: recipe, folds, data, versions; ``finished`` where it is;
* ``folds.csv``: study, person, fold;
* ``fold-1/`` and so on: runs of `fit`, each with ``predictions.npz`` of the studies it held out;
* ``out_of_fold.csv``: all of these together, as the networks said them, before any calibration.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, write_predictions
from mimir_engine.evaluation.subgroups import age_band
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.inference_module.statistics import sex_label
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.fit import Progress, fit
from mimir_engine.training.folds import assign_folds
from mimir_engine.training.predict_unseen import NetworkPrediction, predict_dataset
from mimir_engine.training.recipe import Recipe, all_steps
from mimir_engine.training.run_files import describe_data, surroundings

RECORD, OUT_OF_FOLD = "crossvalidation.json", "out_of_fold.csv"


@dataclass(frozen=True)
class FoldProgress:
    """One finished step of one fold; the remaining time is that of all folds."""

    fold: int
    folds: int
    step: Progress
    remaining_seconds: float


@dataclass(frozen=True)
class CrossValidation:
    """Where a cross-validation stands: not finished where it was stopped."""

    folder: Path
    folds_done: int
    finished: bool


def crossvalidate(
    dataset: Dataset,
    output_dir: Path,
    recipe: Recipe,
    folds: int = 5,
    progress: Optional[Callable[[FoldProgress], None]] = None,
    fold_seed: int = 0,
    device: str = "cpu",
    checkpoint_every: int = 50,
) -> CrossValidation:
    """Trains a network a fold and gathers what each says of the studies it has not seen.

    A run that was stopped or killed goes on when called again, within a fold too, and ends with the
    same numbers; a finished one is let be. Folds hang on `fold_seed` alone, so that two recipes
    can be compared on the same ones.

    Raises MimirError CROSSVALIDATION_MISMATCH where the folder holds one of another recipe, data
    set or number of folds, and what `assign_folds`, `fit` and `write_predictions` raise.
    """
    description = {
        "recipe": asdict(recipe),
        "folds": folds,
        "fold_seed": fold_seed,
        "data": describe_data(dataset),
    }
    description = json.loads(json.dumps(description))
    if _begun(output_dir, description):
        return CrossValidation(output_dir, folds, finished=True)
    persons = [study.person for study in dataset.studies]
    fold_of = assign_folds(persons, folds, dataset.covariates, fold_seed)
    output_dir.mkdir(parents=True, exist_ok=True)
    record = {**description, **surroundings(device)}
    write_json(output_dir / RECORD, {**record, "finished": False})
    rows = [(s.name, s.person, int(fold)) for s, fold in zip(dataset.studies, fold_of)]
    write_csv(output_dir / "folds.csv", ("study", "person", "fold"), rows)
    for fold in range(1, folds + 1):
        folder = output_dir / f"fold-{fold}"
        if (folder / "predictions.npz").exists():
            continue
        tell = _over_all_folds(progress, fold, folds, recipe)
        trained = dataset.subset(fold_of != fold)
        if not fit(trained, folder, recipe, tell, True, checkpoint_every, device).finished:
            return CrossValidation(output_dir, fold - 1, finished=False)
        said = predict_dataset(load_checkpoint(folder), dataset.subset(fold_of == fold), device)
        with atomic_file(folder / "predictions.npz") as file:
            np.savez(file, mean=said.mean, sd=said.sd)
    write_predictions(output_dir / OUT_OF_FOLD, _gathered(dataset, output_dir, fold_of))
    write_json(output_dir / RECORD, {**record, "finished": True})
    return CrossValidation(output_dir, folds, finished=True)


def _begun(folder: Path, description: dict[str, Any]) -> bool:
    """Whether the same cross-validation is in the folder, finished."""
    path = folder / RECORD
    if not path.exists():
        return False
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        other = [name for name, value in description.items() if found[name] != value]
        finished = bool(found["finished"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _mismatch(folder, "something that is no cross-validation") from error
    if other:
        raise _mismatch(folder, f"a cross-validation with other {', '.join(other)}")
    return finished


def _mismatch(folder: Path, what: str) -> MimirError:
    return MimirError(
        "CROSSVALIDATION_MISMATCH",
        f"{folder.name} holds {what}",
        "Choose another folder, or give what it was started with.",
    )


def _over_all_folds(
    progress: Optional[Callable[[FoldProgress], None]], fold: int, folds: int, recipe: Recipe
) -> Optional[Callable[[Progress], None]]:
    if progress is None:
        return None

    def tell(step: Progress) -> None:
        a_fold = step.seconds_per_step * all_steps(recipe, step.step)
        left = step.remaining_seconds + (folds - fold) * a_fold
        progress(FoldProgress(fold, folds, step, left))

    return tell


def _gathered(dataset: Dataset, folder: Path, fold_of: np.ndarray) -> Predictions:
    """All folds' predictions in the order of the data set's studies."""
    mean, sd = np.full((2, *dataset.targets.shape), np.nan)
    for fold in np.unique(fold_of):
        with np.load(folder / f"fold-{fold}" / "predictions.npz", allow_pickle=False) as said:
            mean[fold_of == fold], sd[fold_of == fold] = said["mean"], said["sd"]
    return as_predictions(dataset, NetworkPrediction(mean, sd), fold_of)


def as_predictions(dataset: Dataset, said: NetworkPrediction, fold_of: np.ndarray) -> Predictions:
    """Predictions beside the targets, in the targets' units, with what is known of each study."""
    divisors = np.array([definition.divisor for definition in dataset.definitions])
    persons = tuple(study.person for study in dataset.studies)
    groups = {"person": persons, "fold": tuple(str(fold) for fold in fold_of)}
    if "sex" in dataset.covariates:
        groups["sex"] = tuple(map(sex_label, dataset.covariates["sex"]))
    if "age" in dataset.covariates:
        groups["age_band"] = tuple(age_band(age, "-") for age in dataset.covariates["age"])
    return Predictions(
        names=dataset.target_names,
        units=tuple(definition.unit for definition in dataset.definitions),
        studies=tuple(study.name for study in dataset.studies),
        reference=dataset.targets / divisors,
        mean=said.mean,
        sd=said.sd,
        groups=groups,
    )
