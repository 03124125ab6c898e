"""Images with their targets: what networks are trained on."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.cohort.images.image_folder import (
    DESCRIPTION,
    HASH_COLUMN,
    IMAGES,
    SCHEMA,
    STUDIES,
    TARGETS,
    StudyId,
    TargetDefinition,
    image_sha256,
    study_id,
)
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.array_file import open_array
from mimir_engine.files.json_file import read_json
from mimir_engine.files.regular_file import open_regular
from mimir_engine.files.table_reader import to_text
from mimir_engine.projection.project import PROJECTION_NAME
from mimir_engine.training.joined_images import JoinedImages

#: Size of ``dataset.json``; one of 71 targets has some 20,000 bytes.
MAX_DESCRIPTION_BYTES = 2**20
#: Targets that also describe people: folds are balanced by them, and results grouped.
COVARIATES = ("sex", "age")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their targets, one row per study. Images stay on disk until they are used.

    Attributes:
        images: uint8 ``(images, 3, rows, columns)``, usually mapped into memory; never copied.
        targets: float64 ``(studies, targets)``, in the network's units, NaN = missing.
        provenance: Origin of the data; it travels with the network, so it names no study.
        covariates: Those of `COVARIATES` that are known, float64 ``(studies,)``, NaN = missing.
        left_out: Names of studies that are not used, by reason; see `choose_data`.
        notes: What a reader should know about the data, in sentences without names of studies.
        image_rows: Index of each study's image, int64 ``(studies,)``; in order if not given.
    """

    images: np.ndarray | JoinedImages
    targets: np.ndarray
    studies: tuple[StudyId, ...]
    definitions: tuple[TargetDefinition, ...] = ()
    projection: str = PROJECTION_NAME
    provenance: Mapping[str, Any] = field(default_factory=dict)
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    image_rows: np.ndarray = ...  # type: ignore[assignment]  # an array once constructed

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[1] != 3:
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

    def predictions(
        self, mean: np.ndarray, sd: np.ndarray, groups: Mapping[str, Iterable[str]]
    ) -> Predictions:
        """Combine predictions in the targets' units with the references and the persons."""
        groups = {"person": (study.person for study in self.studies), **groups}
        return Predictions(
            names=self.target_names,
            units=tuple(definition.unit for definition in self.definitions),
            studies=tuple(study.name for study in self.studies),
            reference=self.targets / [definition.divisor for definition in self.definitions],
            mean=mean,
            sd=sd,
            groups={name: tuple(members) for name, members in groups.items()},
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
    """Open a folder of images with targets.

    Raises:
        MimirError: ``DATASET_UNREADABLE``, also if it has no targets, ``DATASET_INCOMPLETE``,
            ``DATASET_INVALID``.
    """
    dataset = load_images(folder)
    if not dataset.definitions:
        raise MimirError(
            "DATASET_UNREADABLE",
            f"{folder.name} has images, but no targets",
            "Give tables of targets with --targets.",
        )
    return dataset


def load_images(folder: Path) -> Dataset:
    """Open a folder of images, as a data set without targets if it has none of its own.

    Raises:
        MimirError: ``DATASET_UNREADABLE``; ``DATASET_INCOMPLETE`` if phantoms are not made yet;
            ``DATASET_INVALID``; ``IMAGES_DAMAGED`` if an image is not the one that was made.
    """
    try:
        images = open_array(folder / IMAGES)
        with TextIOWrapper(open_regular(folder / STUDIES), "utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        rows = np.array([int(line["row"]) for line in lines], dtype=np.int64)
        studies = tuple(
            study_id(
                to_text(line["name"]), line["eid"], line["instance"], to_text(line.get("person"))
            )
            for line in lines
        )
        targets, known = np.zeros((len(images), 0)), {}
        if (folder / DESCRIPTION).exists():
            targets = open_array(folder / TARGETS).astype(np.float64)
            known = _read_description(folder / DESCRIPTION)
    except (OSError, ValueError, OverflowError, KeyError, TypeError, csv.Error) as error:
        raise MimirError(
            "DATASET_UNREADABLE",
            f"{folder.name} is not a folder of images ({error})",
            "Make one with `mimir project --dataset` or `mimir phantom --projections`; phantoms"
            " made by an earlier version have to be made again.",
        ) from error
    if not len(rows) or rows.min() < 0 or len(np.unique(rows)) < len(rows):
        raise _invalid(f"the rows in {STUDIES} of {folder.name} are not those of its images")
    missing = int((rows >= min(len(images), len(targets))).sum())
    if missing:
        what = f"{missing} of {len(rows)} images in {folder.name} are missing"
        if known:  # phantoms, which are listed before they are made
            raise MimirError("DATASET_INCOMPLETE", what, "Let `mimir phantom` finish the folder.")
        raise _invalid(what)
    _check_hashes(folder, images, lines)
    dataset = Dataset(images, targets[rows], studies, image_rows=rows, **known)
    covariates = covariates_of(dataset.target_names, dataset.targets)
    return replace(dataset, covariates=covariates)


def _check_hashes(folder: Path, images: np.ndarray, lines: Sequence[Mapping[str, str]]) -> None:
    """Compare each image with its hash, if the table has one."""
    damaged = [
        to_text(line["name"])
        for line in lines
        if line.get(HASH_COLUMN) and image_sha256(images[int(line["row"])]) != line[HASH_COLUMN]
    ]
    if damaged:
        raise MimirError(
            "IMAGES_DAMAGED",
            f"{len(damaged)} of {len(lines)} images in {folder.name} are damaged or exchanged, that"
            f" of study '{damaged[0]}' first",
            "Run the same `mimir project --dataset` command again: it makes them again.",
        )


@dataclass(frozen=True)
class _Description:
    """The file that describes the targets of images."""

    schema: int
    projection: str
    targets: tuple[TargetDefinition, ...]
    provenance: Mapping[str, Any]


def _read_description(path: Path) -> dict[str, Any]:
    """Read the fields of a data set that describe its targets."""
    read = read_json(path, _Description, "DATASET_UNREADABLE", MAX_DESCRIPTION_BYTES)
    if read.schema != SCHEMA:
        raise ValueError(f"{path.name} has schema {read.schema}, not {SCHEMA}")
    if any(definition.divisor <= 0 for definition in read.targets):
        raise ValueError(f"a divisor in {path.name} is not above 0")
    return {
        "definitions": read.targets,
        "provenance": read.provenance,
        "projection": read.projection,
    }


def covariates_of(names: Sequence[str], targets: np.ndarray) -> dict[str, np.ndarray]:
    """Select the `COVARIATES` among the targets, float64 ``(studies,)`` each."""
    return {name: targets[:, names.index(name)] for name in COVARIATES if name in names}


def _invalid(what: str) -> MimirError:
    return MimirError("DATASET_INVALID", what, "Make the folder of images again.")
