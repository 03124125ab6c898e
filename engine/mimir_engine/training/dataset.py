"""Images with their targets: what networks are trained on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.cohort.image_folder import (
    ImageFolder,
    StudyId,
    TargetDefinition,
    read_image_folder,
)
from mimir_engine.errors import MimirError

#: Targets that also describe people: folds are balanced by them, and results grouped.
COVARIATES = ("sex", "age")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their targets, one row per study. Images stay on disk until they are used.

    Attributes:
        images: uint8 ``(images, 3, rows, columns)``, usually mapped into memory; never copied.
        targets: float64 ``(studies, targets)``, in the network's units, NaN = missing.
        provenance: Origin of the data; it travels with the network, so it names no study.
        studies: Numbered if not given.
        covariates: Those of `COVARIATES` that are known, float64 ``(studies,)``, NaN = missing.
        left_out: Names of studies that are not used, by reason; see `choose_data`.
        image_rows: Index of each study's image, int64 ``(studies,)``; in order if not given.
    """

    images: np.ndarray
    targets: np.ndarray
    definitions: tuple[TargetDefinition, ...]
    projection: str
    provenance: Mapping[str, Any]
    studies: tuple[StudyId, ...] = ()
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    image_rows: np.ndarray = ...  # type: ignore[assignment]  # an array once constructed

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise _invalid(
                f"images are {self.images.dtype} {self.images.shape}, not uint8 (N,3,R,C)"
            )
        rows = np.arange(len(self.images))[self.image_rows]
        object.__setattr__(self, "image_rows", rows)
        expected = (len(self), len(self.definitions))
        if self.targets.shape != expected:
            raise _invalid(f"targets have shape {self.targets.shape}, not {expected}")
        if len(set(self.target_names)) != len(self.definitions):
            raise _invalid("two targets have the same name")
        if not self.studies:
            numbered = tuple(StudyId(str(row)) for row in range(len(self)))
            object.__setattr__(self, "studies", numbered)
        if len({study.name for study in self.studies}) != len(self):
            raise _invalid(f"{len(self)} images need as many different study names")

    def __len__(self) -> int:
        return len(self.image_rows)

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the targets in their order."""
        return tuple(definition.name for definition in self.definitions)

    def read_images(self, studies: np.ndarray | slice) -> np.ndarray:
        """Read the images of some studies, in this order: uint8 ``(n, 3, rows, columns)``."""
        return np.stack([self.images[row] for row in self.image_rows[studies]])

    def subset(self, studies: np.ndarray) -> Dataset:
        """Choose studies by index, int64 ``(n,)``, or mask, bool ``(studies,)``."""
        chosen = np.arange(len(self))[studies]
        return replace(
            self,
            targets=self.targets[chosen],
            provenance={**self.provenance, "studies": len(chosen)},
            studies=tuple(self.studies[row] for row in chosen),
            covariates={name: values[chosen] for name, values in self.covariates.items()},
            image_rows=self.image_rows[chosen],
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the targets and of a few pixels of every image."""
        digest = hashlib.sha256(np.ascontiguousarray(self.targets, dtype=np.float64).tobytes())
        for row in self.image_rows:  # one by one: together they may not fit into memory
            digest.update(np.ascontiguousarray(self.images[row][:, ::64, ::64]).tobytes())
        digest.update(json.dumps(self.target_names).encode())
        return digest.hexdigest()


def load_dataset(folder: Path) -> Dataset:
    """Open a folder of images that has targets of its own.

    Raises:
        MimirError: ``DATASET_UNREADABLE``, ``DATASET_INCOMPLETE``, ``DATASET_INVALID``.
    """
    return own_dataset(folder, read_image_folder(folder))


def own_dataset(folder: Path, found: ImageFolder) -> Dataset:
    """Build the data set of a folder's images and of its own targets.

    Raises:
        MimirError: ``DATASET_UNREADABLE`` if it has no targets, ``DATASET_INVALID``.
    """
    if found.targets is None:
        raise MimirError(
            "DATASET_UNREADABLE",
            f"{folder.name} has images, but no targets",
            "Give tables of targets with --targets.",
        )
    return Dataset(
        images=found.images,
        targets=found.targets,
        definitions=found.definitions,
        projection=found.projection,
        provenance=found.provenance,
        studies=found.studies,
        covariates=covariates_of([d.name for d in found.definitions], found.targets),
        image_rows=found.rows,
    )


def covariates_of(names: Sequence[str], targets: np.ndarray) -> dict[str, np.ndarray]:
    """Select the `COVARIATES` among the targets, float64 ``(studies,)`` each."""
    return {name: targets[:, names.index(name)] for name in COVARIATES if name in names}


def _invalid(what: str) -> MimirError:
    return MimirError("DATASET_INVALID", what, "Make the folder of images again.")
