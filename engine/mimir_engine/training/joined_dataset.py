"""Join the data sets of several folders: of several sites, or populations of phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Callable

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.training.dataset import Dataset, covariates_of
from mimir_engine.training.joined_images import JoinedImages


def open_joined(folders: Sequence[Path], opened: Callable[[Path], Dataset]) -> Dataset:
    """Open one folder of images, or join several.

    Args:
        folders: At least one.
        opened: Opens a folder.

    Raises:
        MimirError: ``DATASET_MISMATCH`` if folders differ in targets or projection or a study is in
            two of them, and the errors of `opened`.
    """
    parts = [opened(folder) for folder in folders]
    return parts[0] if len(parts) == 1 else _joined(parts, [folder.name for folder in folders])


def _joined(parts: Sequence[Dataset], names: Sequence[str]) -> Dataset:
    first = parts[0]
    for part, name in zip(parts, names):
        alike = (
            ("targets", part.definitions == first.definitions),
            ("projections", part.projection == first.projection),
            ("images", part.images.shape[1:] == first.images.shape[1:]),
        )
        for what, is_same in alike:
            if not is_same:
                raise MimirError(
                    "DATASET_MISMATCH",
                    f"{name} has other {what} than {names[0]}",
                    "Join folders of images that were made in the same way.",
                )
    studies = tuple(chain.from_iterable(part.studies for part in parts))
    known: set[str] = set()
    for study in studies:
        if study.name in known:
            raise MimirError(
                "DATASET_MISMATCH",
                f"study '{study.name}' is in two folders of images",
                "Leave one of the two out.",
            )
        known.add(study.name)
    populations = (str(part.provenance.get("population", "")) for part in parts)
    begins = np.cumsum([0, *(len(part.images) for part in parts)])
    targets = np.concatenate([part.targets for part in parts])
    return Dataset(
        JoinedImages([part.images for part in parts]),
        targets,
        studies,
        first.definitions,
        first.projection,
        {
            "population": " and ".join(dict.fromkeys(populations)),
            "parts": [dict(part.provenance) for part in parts],
        },
        covariates_of(first.target_names, targets),
        notes=tuple(chain.from_iterable(part.notes for part in parts)),
        image_rows=np.concatenate([begin + part.image_rows for begin, part in zip(begins, parts)]),
    )
