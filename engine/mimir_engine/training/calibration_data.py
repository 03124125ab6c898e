"""What a module is calibrated on: raw predictions of studies that their network has not seen.

- A cross-validation's folder: out-of-fold predictions, a study's by the one network that has not
  seen it.
- A table of such predictions (CSV or Parquet), raw as networks give them.
- A data set that no network has seen: predicted by the weights as they are shipped, so that what
  rounding to eight bits costs is part of the intervals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, read_predictions
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.inference_module import InferenceModule
from mimir_engine.measuring.network import Predictor
from mimir_engine.training.calibration import UNCALIBRATED
from mimir_engine.training.crossvalidate import OUT_OF_FOLD, RECORD
from mimir_engine.training.dataset import Dataset, load_dataset

# Images that feature statistics are taken from: 64 components of 2,048 features need no more.
_FEATURE_IMAGES = 1_000

FolderPath = Union[str, Path]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a module is calibrated on.

    predictions: raw, of studies that their network has not seen. origin: where they come from, for
    the module's provenance. images: those of the studies, uint8 (studies, 3, rows, columns), where
    they are at hand; features: float32 (studies, features) of them.
    """

    predictions: Predictions
    origin: Mapping[str, Any]
    images: Optional[np.ndarray] = None
    features: Optional[np.ndarray] = None


def gather_evidence(
    module: InferenceModule, calibration: FolderPath, images: Optional[FolderPath] = None
) -> Evidence:
    """What lies at `calibration`, predicted by the module where it is a data set.

    Raises MimirError CALIBRATION_UNREADABLE, CALIBRATION_MISMATCH where a cross-validation's
    networks are of another architecture or projection than the module's, DATASET_MISMATCH where a
    data set has other targets or another projection or is the training data, and what the readers
    raise.
    """
    path = Path(calibration)
    if (path / "dataset.json").is_file():
        evidence = _predicted(module, load_dataset(path))
    elif path.is_file() or (path / OUT_OF_FOLD).is_file():
        table = path if path.is_file() else path / OUT_OF_FOLD
        predictions = read_predictions(table)
        origin: dict[str, Any] = {"table": table.name, "sha256": file_sha256(table)}
        if table != path:
            origin["crossvalidation"] = _crossvalidation(module, path)
        evidence = Evidence(predictions, origin)
    else:
        raise MimirError(
            "CALIBRATION_UNREADABLE",
            f"'{path}' is no cross-validation, table of predictions or data set",
            f"Give a folder with {OUT_OF_FOLD} or dataset.json, or a table's file.",
        )
    if images is not None:
        chosen = _images(Path(images))
        _, features = Predictor(module).predict_with_features(chosen)
        evidence = replace(evidence, images=chosen, features=features)
    return evidence


def _crossvalidation(module: InferenceModule, folder: Path) -> dict[str, Any]:
    """How its networks were trained, and on what; refused where they are of another kind."""
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        recipe, data = dict(record["recipe"]), record["data"]
        told = {name: data[name] for name in ("fingerprint", "projection", "studies", "persons")}
        folds = int(record["folds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MimirError(
            "CALIBRATION_UNREADABLE",
            f"{RECORD} of '{folder}' says of no cross-validation ({error})",
            "Let `mimir crossvalidate` write it.",
        ) from error
    for what, given, wanted in (
        ("architecture", recipe.get("architecture"), module.architecture),
        ("projection", told["projection"], module.projection),
    ):
        if given != wanted:
            raise MimirError(
                "CALIBRATION_MISMATCH",
                f"the cross-validation's {what} is {given}, the module's {wanted}: their networks"
                " err and doubt in different ways",
                "Cross-validate networks like those to be packaged, or give data not trained on.",
            )
    return {"folds": folds, "recipe": recipe, "data": told}


def _predicted(module: InferenceModule, held_out: Dataset) -> Evidence:
    _check(module, held_out)
    raw = replace(module, targets=tuple(UNCALIBRATED.of(target) for target in module.targets))
    images = np.asarray(held_out.images)
    prediction, features = Predictor(raw).predict_with_features(images)
    predictions = Predictions(
        names=held_out.target_names,
        units=tuple(definition.unit for definition in held_out.definitions),
        studies=tuple(study.name for study in held_out.studies),
        reference=held_out.targets / [definition.divisor for definition in held_out.definitions],
        mean=prediction.mean,
        sd=np.sqrt(prediction.variance),
    )
    return Evidence(predictions, {"data": dict(held_out.provenance)}, images, features)


def _check(module: InferenceModule, held_out: Dataset) -> None:
    problem = None
    given = [(d.name, d.unit, d.divisor) for d in held_out.definitions]
    training = module.provenance.get("training", ())
    if given != [(target.name, target.unit, target.divisor) for target in module.targets]:
        problem = "the held-out data have other targets than the training data"
    elif held_out.projection != module.projection:
        problem = "the held-out data were projected in another way than the training data"
    elif held_out.fingerprint() in [run.get("fingerprint") for run in _listed(training)]:
        problem = "the held-out data are the training data"
    if problem is not None:
        raise MimirError("DATASET_MISMATCH", problem, "Give held-out data made in the same way.")


def _listed(runs: Union[Mapping[str, Any], Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Modules of the first kind name their one run without a list."""
    return [runs] if isinstance(runs, Mapping) else list(runs)


def _images(folder: Path) -> np.ndarray:
    """Some of a data set's images, evenly chosen."""
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise MimirError(
            "DATASET_UNREADABLE", f"{folder.name} has no images ({error})", "It needs images.npy."
        ) from error
    count = min(len(images), _FEATURE_IMAGES)
    return np.stack([images[row] for row in np.linspace(0, len(images) - 1, count).astype(int)])
