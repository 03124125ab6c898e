"""Read the data that a module is calibrated on: raw predictions of studies unseen in training.

- The folder of a cross-validation: out-of-fold predictions, each by the one network that has not
  seen the study.
- A table of such predictions (CSV or Parquet), raw as networks give them.
- A folder of images with targets that no network has seen: predicted with the shipped weights, so
  that the effect of rounding them to eight bits is part of the intervals.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.cohort.images.image_folder import DESCRIPTION
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions, read_predictions
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.inference_module import InferenceModule
from mimir_engine.measuring.network import Predictor
from mimir_engine.training.calibration import without_calibration
from mimir_engine.training.crossvalidate import DESCRIPTION_FILE, OUT_OF_FOLD
from mimir_engine.training.dataset import Dataset, load_dataset, load_images
from mimir_engine.training.identity import training_runs
from mimir_engine.training.initial_weights import learned_from
from mimir_engine.training.joined_dataset import open_joined
from mimir_engine.training.module_people import EVERYBODY, Held, People, choose_people

#: Images in memory at once.
BLOCK = 512


@dataclass(frozen=True, eq=False)
class CalibrationData:
    """Raw predictions of studies that their network has not seen.

    Attributes:
        source: Origin of the predictions, for the module's provenance.
        images: Scans for the module's scan profile, and their folder; None without images.
        notes: What to say about the studies, in sentences.
    """

    predictions: Predictions
    source: Mapping[str, Any]
    images: Optional[tuple[Dataset, Path]] = None
    notes: tuple[str, ...] = ()


def read_calibration_data(
    module: InferenceModule,
    paths: Sequence[Path],
    images: Optional[Path] = None,
    people: People = EVERYBODY,
) -> CalibrationData:
    """Read predictions, or let the module predict images with targets.

    Args:
        module: Module to calibrate.
        paths: A cross-validation, a table of predictions, or folders of images with targets.
        images: Folder of images for the scan profile; by default the one of `paths`.
        people: Whose predictions and images are used.

    Raises:
        MimirError: ``CALIBRATION_UNREADABLE``; ``CALIBRATION_MISMATCH`` if a cross-validation's
            networks have another architecture or projection than the module; ``DATASET_MISMATCH``
            if images have other targets or another projection, or are the training data; and the
            errors of the readers.
    """
    source: dict[str, Any] = {}
    held: Held
    path = paths[0]
    if all(os.path.isfile(folder / DESCRIPTION) for folder in paths):
        held = open_joined(paths, load_dataset)
    elif len(paths) > 1:
        raise MimirError(
            "CALIBRATION_UNREADABLE",
            "only folders of images with targets can be joined",
            "Give one cross-validation, one table, or several folders of images.",
        )
    elif os.path.isfile(path) or os.path.isfile(path / OUT_OF_FOLD):
        table = path if os.path.isfile(path) else path / OUT_OF_FOLD
        source = {"table": table.name, "sha256": file_sha256(table)}
        if table != path:
            source["crossvalidation"] = _crossvalidation(module, path)
        held = read_predictions(table)
    else:
        raise MimirError(
            "CALIBRATION_UNREADABLE",
            f"'{path.name}' is not a cross-validation, a table of predictions or images with"
            " targets",
            f"Give a folder with {OUT_OF_FOLD} or {DESCRIPTION}, or a table's file.",
        )
    chosen = choose_people(people, held, None if images is None else load_images(images))
    if isinstance(chosen.held, Dataset):
        data = _predicted(module, chosen.held)
        if len(paths) == 1:
            data = replace(data, images=(chosen.held, path))
    else:
        data = CalibrationData(chosen.held, source)
    if chosen.images is not None and images is not None:
        data = replace(data, images=(chosen.images, images))
    return replace(data, source={**data.source, **chosen.record}, notes=chosen.notes)


def _crossvalidation(module: InferenceModule, folder: Path) -> dict[str, Any]:
    """Describe a cross-validation's networks and data; refuse networks of another kind."""
    try:
        description = json.loads((folder / DESCRIPTION_FILE).read_text("utf-8"))
        recipe, data = dict(description["recipe"]), description["data"]
        kept = {name: data[name] for name in ("fingerprint", "projection", "studies", "persons")}
        folds = int(description["folds"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MimirError(
            "CALIBRATION_UNREADABLE",
            f"{DESCRIPTION_FILE} in '{folder.name}' does not describe a cross-validation ({error})",
            "Let `mimir crossvalidate` write it.",
        ) from error
    for what, given, expected in (
        ("architecture", recipe.get("architecture"), module.architecture),
        ("projection", kept["projection"], module.projection),
    ):
        if given != expected:
            raise MimirError(
                "CALIBRATION_MISMATCH",
                f"the cross-validation's {what} is {given}, the module's {expected}: their errors"
                " are not comparable",
                "Cross-validate networks like those to be packaged, or give data not trained on.",
            )
    return {"folds": folds, "recipe": recipe, "data": kept}


def _predicted(module: InferenceModule, held_out: Dataset) -> CalibrationData:
    _check(module, held_out)
    predictor = Predictor(replace(module, targets=tuple(map(without_calibration, module.targets))))
    predicted = [
        predictor.predict(held_out.read_images(slice(start, start + BLOCK)))
        for start in range(0, len(held_out), BLOCK)
    ]
    mean = np.concatenate([block.mean for block in predicted])
    sd = np.sqrt(np.concatenate([block.variance for block in predicted]))
    source = {"data": dict(held_out.provenance)}
    persons = {"person": (study.person for study in held_out.studies)}
    return CalibrationData(held_out.predictions(mean, sd, persons), source)


def _check(module: InferenceModule, held_out: Dataset) -> None:
    fault = None
    given, expected = (
        [(target.name, target.unit, target.divisor) for target in targets]
        for targets in (held_out.definitions, module.targets)
    )
    if given != expected:
        fault = "the held-out data have other targets than the training data"
    elif held_out.projection != module.projection:
        fault = "the held-out data have another projection than the training data"
    elif held_out.fingerprint in learned_from(training_runs(module)):
        fault = "the held-out data are the training data"
    if fault is not None:
        raise MimirError("DATASET_MISMATCH", fault, "Give held-out data made in the same way.")
