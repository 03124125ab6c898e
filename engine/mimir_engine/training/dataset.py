"""What a network is trained on: projections and the targets that belong to them.

A data set is a folder with the file ``images.npy``, uint8 (rows, 3, rows, columns), and

* either ``targets.npy`` and ``dataset.json``, where the targets are known with the images, as of
  phantoms: float (rows, targets), in the network's unit, NaN where a label is missing;
* or ``studies.csv``, where the images were made of scans (`mimir project --dataset`): which study
  each row shows. Their targets come from tables of their own (`chosen_data`).

Images are memory-mapped and never copied, so a data set may be larger than the memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.evaluation.rounding import is_rounding
from mimir_engine.files.atomic import atomic_file
from mimir_engine.phantom.dicom_study import study_name
from mimir_engine.projection.project import PROJECTION_NAME
from mimir_engine.study.source_name import uk_biobank_ids

SCHEMA = 1

#: Targets that also tell which people are alike: folds are balanced by them, results told apart.
COVARIATES = ("sex", "age")


@dataclass(frozen=True)
class StudyId:
    """A study's name in all results; whose it is, and which visit, where UK Biobank's name says."""

    name: str
    eid: str = ""
    instance: str = ""

    @property
    def person(self) -> str:
        """The same for all visits of a person; a study that names nobody is a person of its own."""
        return self.eid or self.name


@dataclass(frozen=True)
class TargetDefinition:
    """What one column of the targets means.

    `divisor` turns the network's unit (that of the column) into `unit`: mL / 1000 = L.
    `kind` is "quantity", or "class" for a label such as sex (0 female, 1 male).
    """

    name: str
    unit: str
    ukb_field: str = ""
    divisor: float = 1.0
    kind: str = "quantity"
    non_negative: bool = True


@dataclass(frozen=True, eq=False)
class Dataset:
    """Projections with their targets; the row is the study.

    images: uint8 (studies, 3, rows, columns). targets: float64 (studies, targets), NaN = missing.
    provenance: where the data come from; it travels with the network, so it names no study.
    studies: one a row; numbered where they have no names.
    covariates: those of `COVARIATES` that are known, float64 (studies,), NaN = missing.
    left_out: why to the names of what is no part of this data set, as `chosen_data` writes it.
    """

    images: Union[np.ndarray, ImageRows]
    targets: np.ndarray
    definitions: tuple[TargetDefinition, ...]
    projection: str
    provenance: Mapping[str, Any]
    studies: tuple[StudyId, ...] = ()
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise _invalid(
                f"images are {self.images.dtype} {self.images.shape}, not uint8 (N,3,R,C)"
            )
        expected = (len(self.images), len(self.definitions))
        if self.targets.shape != expected:
            raise _invalid(f"targets have shape {self.targets.shape}, not {expected}")
        if len(set(self.target_names)) != len(self.definitions):
            raise _invalid("two targets have the same name")
        if not self.studies:
            numbered = tuple(StudyId(str(row)) for row in range(len(self.images)))
            object.__setattr__(self, "studies", numbered)
        if len({study.name for study in self.studies}) != len(self.images):
            raise _invalid(f"{len(self.images)} images don't have as many different names")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def target_names(self) -> tuple[str, ...]:
        return tuple(definition.name for definition in self.definitions)

    def subset(self, rows: np.ndarray) -> Dataset:
        """The studies of these rows, int64 (n,) or bool (studies,), without copying an image."""
        rows = np.arange(len(self))[rows]
        return replace(
            self,
            images=chosen_rows(self.images, rows),
            targets=self.targets[rows],
            provenance={**self.provenance, "studies": len(rows)},
            studies=tuple(self.studies[row] for row in rows),
            covariates={name: values[rows] for name, values in self.covariates.items()},
        )

    def fingerprint(self) -> str:
        """Hash of the targets and of a few pixels of every image: the same data, or not."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(np.ascontiguousarray(self.targets, dtype=np.float64).tobytes())
        for row in range(len(self)):  # one after the other: all together may not fit in memory
            digest.update(np.ascontiguousarray(self.images[row][:, ::64, ::64]).tobytes())
        digest.update(json.dumps(self.target_names).encode())
        return digest.hexdigest()


def load_dataset(folder: Union[str, Path]) -> Dataset:
    """Opens a data set that knows its targets, without reading its images.

    Raises MimirError DATASET_UNREADABLE or DATASET_INVALID.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        targets = np.load(folder / "targets.npy", allow_pickle=False).astype(np.float64)
        definitions = tuple(TargetDefinition(**entry) for entry in description["targets"])
        studies = tuple(StudyId(*entry) for entry in description.get("studies", ()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MimirError(
            "DATASET_UNREADABLE",
            f"{folder.name} is no data set ({error})",
            "It needs images.npy, targets.npy and dataset.json, or tables of targets (--targets).",
        ) from error
    return Dataset(
        images=images,
        targets=targets,
        definitions=definitions,
        projection=description.get("projection", ""),
        provenance=description.get("provenance", {}),
        studies=studies,
        covariates=covariates_of([d.name for d in definitions], targets),
    )


def write_dataset(folder: Union[str, Path], dataset: Dataset) -> None:
    """Writes a data set's three files; dataset.json last, so that a half-written one is none."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", np.asarray(dataset.images))
    np.save(folder / "targets.npy", np.asarray(dataset.targets, dtype=np.float64))
    describe_dataset(folder, dataset)


def describe_dataset(folder: Union[str, Path], dataset: Dataset) -> None:
    """Writes dataset.json, for a folder that holds the arrays already."""
    description = {
        "schema": SCHEMA,
        "projection": dataset.projection,
        "targets": [asdict(definition) for definition in dataset.definitions],
        "provenance": dict(dataset.provenance),
        "studies": [[study.name, study.eid, study.instance] for study in dataset.studies],
    }
    with atomic_file(Path(folder) / "dataset.json") as file:
        file.write(json.dumps(description, indent=1, sort_keys=True).encode("ascii") + b"\n")


def covariates_of(names: Sequence[str], targets: np.ndarray) -> dict[str, np.ndarray]:
    """Those of `COVARIATES` that are among the targets, float64 (studies,)."""
    return {name: targets[:, names.index(name)] for name in COVARIATES if name in names}


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Mean and SD (ddof 1) of each target's labels in the training data: float64 (targets,)."""

    mean: np.ndarray
    sd: np.ndarray

    def apply(self, targets: np.ndarray) -> np.ndarray:
        """Targets in standard deviations from the mean, float32; NaN stays NaN."""
        return ((targets - self.mean) / self.sd).astype(np.float32)


def standardisation_of(targets: np.ndarray, names: Sequence[str]) -> Standardisation:
    """Raises MimirError TARGET_WITHOUT_SPREAD where fewer than two different labels are known."""
    labelled = np.isfinite(targets)
    for column, name in enumerate(names):
        labels = targets[labelled[:, column], column]
        if len(labels) < 2 or is_rounding(np.ptp(labels), labels):
            raise MimirError(
                "TARGET_WITHOUT_SPREAD",
                f"{name} has fewer than two different labels",
                "Leave it out or add labelled studies.",
            )
    known = np.where(labelled, targets, np.nan)
    return Standardisation(mean=np.nanmean(known, axis=0), sd=np.nanstd(known, axis=0, ddof=1))


def label_share(targets: np.ndarray) -> np.ndarray:
    """The share of the studies that have a label, float64 (targets,)."""
    share: np.ndarray = np.isfinite(targets).mean(axis=0)
    return share


def batch_indices(count: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """The studies of one training step, int64 (batch_size,).

    All epochs' shuffled orders are laid end to end and cut into batches, so each study comes once
    an epoch. The order is a function of seed and epoch alone: nothing has to be kept to resume.
    """
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs = positions // count
    order = {
        epoch: np.random.default_rng([seed, epoch]).permutation(count)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1)
    }
    return np.array([order[int(e)][p] for e, p in zip(epochs, positions % count)], dtype=np.int64)


def _invalid(what: str) -> MimirError:
    return MimirError("DATASET_INVALID", what, "Write the data set with write_dataset.")


Index = Union[int, np.integer, slice, np.ndarray]


class ImageRows:
    """Rows of an array of images, in any order, as if they were an array of their own.

    Attributes:
        images: The array or memory-mapped file, ``(rows, ...)``.
        rows: int64 ``(n,)``, which of them.
    """

    def __init__(self, images: np.ndarray, rows: np.ndarray) -> None:
        self.images, self.rows = images, rows

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.images.shape[1:])

    @property
    def ndim(self) -> int:
        return self.images.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.images.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Index) -> np.ndarray:
        """An image, or several of them as an array in memory."""
        found: np.ndarray = self.images[self.rows[index]]
        return found

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        if copy is False:
            raise ValueError("images of a file can't be had without a copy")
        return self[:] if dtype is None else self[:].astype(dtype)


def chosen_rows(images: Union[np.ndarray, ImageRows], rows: np.ndarray) -> ImageRows:
    """The rows of an array, or of what was chosen from one before."""
    if isinstance(images, ImageRows):
        return ImageRows(images.images, images.rows[rows])
    return ImageRows(images, rows)


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
        studies=tuple(StudyId(name, *uk_biobank_ids(name)) for name in names),
        covariates=covariates_of(description["names"], targets),
    )


def phantom_target(name: str, unit: str) -> TargetDefinition:
    """A phantom's truth as a target: all are known in the unit they are reported in."""
    kind = "class" if name == "sex" else "quantity"
    return TargetDefinition(name, unit, kind=kind, non_negative=kind == "quantity")
