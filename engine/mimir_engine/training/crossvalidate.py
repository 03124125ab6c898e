"""Cross-validation: predict every study with a network that has not seen its person.

The folder of a cross-validation holds

* ``crossvalidation.json``: recipe, folds, data, versions, and whether it is finished;
* ``folds.csv``: study, person, fold;
* ``fold-1/`` and so on: runs of `fit`, each with ``predictions.npz`` of its held-out studies;
* ``out_of_fold.csv``: all these predictions together, raw, before any calibration.
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
from mimir_engine.files.atomic import whole_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.fit import Progress, fit
from mimir_engine.training.folds import assign_folds
from mimir_engine.training.predict import predict_dataset
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.run_files import describe_data, describe_environment, write_json

DESCRIPTION_FILE, OUT_OF_FOLD = "crossvalidation.json", "out_of_fold.csv"

#: Width of the age bands that results are grouped by, in years.
AGE_BAND = 10


@dataclass(frozen=True)
class FoldProgress:
    """A finished step of one fold; the remaining time is that of all folds."""

    fold: int
    folds: int
    step: Progress
    remaining_seconds: float


@dataclass(frozen=True)
class CrossValidation:
    """Progress of a cross-validation; not finished if it was stopped."""

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
    """Train one network per fold and collect its predictions of the studies it has not seen.

    When called again, a run that was stopped or killed continues, also within a fold, and ends with
    the same numbers; a finished one is left unchanged. The folds depend on `fold_seed` alone, so
    that recipes can be compared on the same folds.

    Raises:
        MimirError: ``CROSSVALIDATION_MISMATCH`` where the folder holds one of another recipe, data
            set or number of folds, and the errors of `assign_folds`, `fit` and
            `write_predictions`.
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
    description |= describe_environment(device)
    write_json(output_dir / DESCRIPTION_FILE, {**description, "finished": False})
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
        held_out = dataset.subset(fold_of == fold)
        predicted = predict_dataset(load_checkpoint(folder), held_out, device)
        with whole_file(folder / "predictions.npz") as file:
            np.savez(file, mean=predicted.mean, sd=predicted.sd)
    write_predictions(output_dir / OUT_OF_FOLD, _out_of_fold(dataset, output_dir, fold_of))
    write_json(output_dir / DESCRIPTION_FILE, {**description, "finished": True})
    return CrossValidation(output_dir, folds, finished=True)


def _begun(folder: Path, description: dict[str, Any]) -> bool:
    """Return whether the folder holds the same cross-validation, finished."""
    path = folder / DESCRIPTION_FILE
    if not path.exists():
        return False
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        other = [name for name, value in description.items() if found[name] != value]
        finished = bool(found["finished"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _mismatch(folder, "something other than a cross-validation") from error
    if other:
        raise _mismatch(folder, f"a cross-validation with other {', '.join(other)}")
    return finished


def _mismatch(folder: Path, what: str) -> MimirError:
    return MimirError(
        "CROSSVALIDATION_MISMATCH",
        f"{folder.name} holds {what}",
        "Choose another folder, or repeat the options it was started with.",
    )


def _over_all_folds(
    progress: Optional[Callable[[FoldProgress], None]], fold: int, folds: int, recipe: Recipe
) -> Optional[Callable[[Progress], None]]:
    if progress is None:
        return None

    def tell(step: Progress) -> None:
        later = (folds - fold) * recipe.steps * step.seconds_per_step
        progress(FoldProgress(fold, folds, step, step.remaining_seconds + later))

    return tell


def _out_of_fold(dataset: Dataset, folder: Path, fold_of: np.ndarray) -> Predictions:
    """Collect the folds' predictions beside the targets, in the targets' units."""
    mean, sd = np.full((2, *dataset.targets.shape), np.nan)
    for fold in np.unique(fold_of):
        with np.load(folder / f"fold-{fold}" / "predictions.npz", allow_pickle=False) as predicted:
            mean[fold_of == fold], sd[fold_of == fold] = predicted["mean"], predicted["sd"]
    divisors = np.array([definition.divisor for definition in dataset.definitions])
    persons = tuple(study.person for study in dataset.studies)
    groups = {"person": persons, "fold": tuple(str(fold) for fold in fold_of)}
    if "sex" in dataset.covariates:
        groups["sex"] = tuple(map(_sex, dataset.covariates["sex"]))
    if "age" in dataset.covariates:
        groups["age_band"] = tuple(map(_age_band, dataset.covariates["age"]))
    return Predictions(
        names=dataset.target_names,
        units=tuple(definition.unit for definition in dataset.definitions),
        studies=tuple(study.name for study in dataset.studies),
        reference=dataset.targets / divisors,
        mean=mean,
        sd=sd,
        groups=groups,
    )


def _sex(value: float) -> str:
    """UK Biobank's field 31: 0 female, 1 male."""
    return {0.0: "female", 1.0: "male"}.get(float(value), "")


def _age_band(age: float) -> str:
    if not np.isfinite(age):
        return ""
    first = int(age // AGE_BAND) * AGE_BAND
    return f"{first}-{first + AGE_BAND - 1}"
