"""Make finished training runs of random weights, and data to calibrate them on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from mimir_engine.cohort.images.image_folder import TargetDefinition, study_id
from mimir_engine.evaluation.predictions import Predictions, write_predictions
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.training.checkpoint import Checkpoint, save_checkpoint
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.fit import initial_network
from mimir_engine.training.recipe import FROM_SCRATCH
from mimir_engine.training.standardisation import standardisation_of

DEFINITIONS = (
    TargetDefinition("sex", "", kind="class", non_negative=False),
    TargetDefinition("liverVolume", "L", ukb_field="21080", divisor=1000.0),
)
IDENTITY = {
    "name": "livers",
    "version": "2.1",
    "title": "Livers",
    "description": "Noise with made-up livers.",
    "population": "600 invented people | none of them real",
    "reference": "invented people",
    "accepts": {"vendors": ["SIEMENS"], "field_strengths_t": [1.5], "stations": [6]},
    "limits": ["It has never seen a liver."],
    "licence": "CC0-1.0",
}


def dataset(count: int, seed: int) -> Dataset:
    """Make noise of varying brightness, with an independent sex and liver volume in mL."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, rng.integers(50, 256, (count, 3, 1, 1)), (count, 3, 256, 256))
    targets = np.stack([np.arange(count) % 2, rng.normal(1500, 200, count)], axis=1)
    provenance = {"first_seed": seed}
    studies = tuple(study_id(f"{1_000_000 + row}_20201_2_0") for row in range(count))
    return Dataset(images.astype(np.uint8), targets, studies, DEFINITIONS, provenance=provenance)


def write_run(folder: Path, training: Dataset, seed: int) -> None:
    """Write a run that is marked as finished."""
    recipe = replace(FROM_SCRATCH, architecture="resnet18", seed=seed)
    checkpoint = Checkpoint(
        recipe=recipe,
        step=recipe.steps,
        finished=True,
        network=initial_network(recipe, ("water", "fat")).state_dict(),
        optimiser={},
        definitions=DEFINITIONS,
        standardisation=standardisation_of(training.targets, training.target_names),
        projection=training.projection,
        fingerprint=training.fingerprint,
        provenance=dict(training.provenance),
    )
    folder.mkdir()
    save_checkpoint(folder, checkpoint)


def write_images(folder: Path, images: np.ndarray) -> list[str]:
    """Write images as of scans; return the names of the studies."""
    folder.mkdir()
    np.save(folder / "images.npy", images)
    names = [f"{2_000_000 + row}_20201_2_0" for row in range(len(images))]
    rows = [(row, name, name[:7], "2") for row, name in enumerate(names)]
    write_csv(folder / "studies.csv", ("row", "name", "eid", "instance"), rows)
    return names


def out_of_fold(count: int = 600) -> Predictions:
    """Make raw predictions of livers, too near the mean and with SDs too small."""
    rng = np.random.default_rng(3)
    sex = rng.integers(0, 2, count).astype(float)
    liver, sd = rng.normal(1.5, 0.2, count), rng.uniform(0.02, 0.05, count)
    seen = 1.5 + 0.7 * (liver - 1.5) + 2 * sd * rng.standard_normal(count)
    return Predictions(
        names=("sex", "liverVolume"),
        units=("", "L"),
        studies=tuple(f"{1_000_000 + row}_20201_2_0" for row in range(count)),
        reference=np.stack([sex, liver], axis=1),
        mean=np.stack([0.05 + 0.9 * sex, seen], axis=1),
        sd=np.stack([np.full(count, 0.1), sd], axis=1),
        groups={
            "fold": tuple(str(row % 5) for row in range(count)),
            "sex": tuple("male" if value else "female" for value in sex),
        },
    )


def write_crossvalidation(folder: Path, architecture: str) -> None:
    """A finished cross-validation without its networks."""
    recipe = {"name": "short", "architecture": architecture, "steps": 500}
    data = {"fingerprint": "f", "projection": "mimir-2021", "studies": 600, "persons": 600}
    folder.mkdir()
    write_predictions(folder / "out_of_fold.csv", out_of_fold())
    record = {"folds": 5, "recipe": recipe, "data": {**data, "targets": []}, "finished": True}
    (folder / "crossvalidation.json").write_text(json.dumps(record), "utf-8")
