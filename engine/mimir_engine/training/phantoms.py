"""Makes a data set of the folder that `mimir_engine.phantom.projections` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.phantom.dicom_study import study_name
from mimir_engine.projection import PROJECTION_NAME
from mimir_engine.study.read import bulk_name
from mimir_engine.training.dataset import (
    Dataset,
    StudyId,
    TargetDefinition,
    covariates_of,
    describe_dataset,
)


def describe_phantoms(folder: Union[str, Path]) -> None:
    """Turns a folder of phantom projections into a data set, by adding its dataset.json.

    Raises MimirError DATASET_INCOMPLETE as `phantom_dataset`.
    """
    describe_dataset(folder, phantom_dataset(folder))


def phantom_dataset(
    folder: Union[str, Path], first: int = 0, last: Optional[int] = None
) -> Dataset:
    """The rows first..last of a folder of phantom projections.

    Raises MimirError DATASET_INCOMPLETE where some of them have not been made yet.
    """
    folder = Path(folder)
    description = json.loads((folder / "projections.json").read_text(encoding="utf-8"))
    rows = slice(first, last)
    done = np.load(folder / "done.npy")[rows]
    if not done.all():
        raise MimirError(
            "DATASET_INCOMPLETE",
            f"{int((~done).sum())} of {len(done)} phantoms in {folder.name} are not made yet",
            "Let `mimir phantom` finish the folder.",
        )
    seeds = description["seeds"][rows]
    names = [study_name(seed) for seed in seeds]
    targets = np.load(folder / "targets.npy")[rows].astype(np.float64)
    return Dataset(
        images=np.load(folder / "images.npy", mmap_mode="r")[rows],
        targets=targets,
        definitions=tuple(
            phantom_target(name, unit)
            for name, unit in zip(description["names"], description["units"])
        ),
        projection=PROJECTION_NAME,
        provenance={
            "population": "mimir_engine.phantom.population",
            "phantoms": len(seeds),
            "first_seed": seeds[0],
            "last_seed": seeds[-1],
        },
        studies=tuple(StudyId(name, *bulk_name(name)) for name in names),
        covariates=covariates_of(description["names"], targets),
    )


def phantom_target(name: str, unit: str) -> TargetDefinition:
    """A phantom's truth as a target: all are known in the unit they are reported in."""
    kind = "class" if name == "sex" else "quantity"
    return TargetDefinition(name, unit, kind=kind, non_negative=kind == "quantity")
