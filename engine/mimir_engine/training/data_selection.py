"""Which studies and targets of a folder a network is trained on, and what is left out, and why."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.files.table_reader import to_text
from mimir_engine.projection.project import PROJECTION_NAME
from mimir_engine.training.dataset import Dataset, StudyId, covariates_of, load_dataset
from mimir_engine.training.targets import read_definitions, read_targets, rows_by_key

EXCLUDED, UNLABELLED, UNKNOWN = "excluded", "unlabelled", "unknown"


@dataclass(frozen=True)
class DataChoice:
    """What to take of a folder.

    Attributes:
        tables: Of targets; where there are none, the folder knows its own.
        definitions: Table of what the targets are.
        exclude: File of those who withdrew or are not to be used: a participant, a participant
            and visit, or a study's name on each line; ``#`` begins a remark.
        only: Targets to learn; all where it is empty.
    """

    tables: tuple[Path, ...] = ()
    definitions: Optional[Path] = None
    exclude: Optional[Path] = None
    only: tuple[str, ...] = ()


def chosen_data(folder: Path, choice: DataChoice) -> Dataset:
    """The data set of a folder and of the tables that belong to it.

    What is left out stands in its `left_out`: studies that are excluded, studies without any
    target, and what the tables name though no image is there.

    Raises:
        MimirError: ``DATASET_UNREADABLE``, ``DATASET_INVALID``, ``TARGETS_INVALID``,
            ``TARGET_UNKNOWN``, ``EXCLUSIONS_UNREADABLE``, ``NO_STUDIES``.
    """
    if choice.tables:
        whole = _with_tables(folder, choice)
    elif choice.definitions:
        raise MimirError(
            "WRONG_USE", "definitions of targets need tables of targets", "Add --targets."
        )
    else:
        whole = load_dataset(folder)
    excluded, exclusion = _exclusion(whole.studies, choice.exclude)
    chosen = _only(whole, choice.only)
    unlabelled = ~np.isfinite(chosen.targets).any(axis=1) & ~excluded
    used = ~excluded & ~unlabelled
    if not used.any():
        raise MimirError("NO_STUDIES", f"no study of {folder.name} is left", "Check the tables.")
    return replace(
        chosen if used.all() else chosen.subset(used),
        provenance={
            **chosen.provenance,
            **exclusion,
            "studies": int(used.sum()),
            "unlabelled": int(unlabelled.sum()),
        },
        left_out={
            EXCLUDED: tuple(_names(whole.studies, excluded)),
            UNLABELLED: tuple(_names(whole.studies, unlabelled)),
            **chosen.left_out,
        },
    )


def read_studies(folder: Path) -> tuple[tuple[StudyId, ...], np.ndarray]:
    """Studies of ``studies.csv``, and the row of each in ``images.npy``, int64 ``(studies,)``.

    Raises:
        MimirError: ``DATASET_UNREADABLE``.
    """
    try:
        with (folder / "studies.csv").open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        studies = tuple(
            StudyId(to_text(line["name"]), line["eid"], line["instance"]) for line in lines
        )
        return studies, np.array([int(line["row"]) for line in lines], dtype=np.int64)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise _unreadable(folder, error) from error


def write_choice(folder: Path, dataset: Dataset) -> None:
    """Write ``studies.csv`` of a run: each study it could have used, and whether it did."""
    rows = [(study.name, study.person, "used") for study in dataset.studies]
    rows += [(name, "", why) for why, names in dataset.left_out.items() for name in names]
    write_csv(folder / "studies.csv", ("study", "person", "state"), rows)


def _with_tables(folder: Path, choice: DataChoice) -> Dataset:
    own_studies = (folder / "studies.csv").exists()
    if own_studies:
        studies, rows = read_studies(folder)
    else:  # images with targets of their own; those of the tables take their place
        own = load_dataset(folder)
        studies, rows = own.studies, np.arange(len(own))
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    if len(rows) and rows.max() >= len(images):
        raise MimirError(
            "DATASET_INVALID",
            f"studies.csv of {folder.name} names images that aren't there",
            "Run `mimir project --dataset` again.",
        )
    table = read_targets(choice.tables, studies)
    whole = Dataset(
        images=images,
        targets=np.zeros((len(images), 0)),
        definitions=(),
        projection=PROJECTION_NAME if own_studies else own.projection,
        provenance={
            **({} if own_studies else own.provenance),
            "tables": [{"name": path.name, "sha256": file_sha256(path)} for path in choice.tables],
            "unknown": len(table.unknown),
        },
    )
    return replace(
        whole.subset(rows),
        targets=table.values,
        definitions=read_definitions(choice.definitions, table),
        studies=studies,
        covariates=covariates_of(table.names, table.values),
        left_out={UNKNOWN: table.unknown},
    )


def _only(dataset: Dataset, names: tuple[str, ...]) -> Dataset:
    absent = [name for name in names if name not in dataset.target_names]
    if absent:
        raise MimirError(
            "TARGET_UNKNOWN",
            f"there is no target {', '.join(absent)}",
            f"There are {', '.join(dataset.target_names)}.",
        )
    if not names:
        return dataset
    columns = [dataset.target_names.index(name) for name in names]
    return replace(
        dataset,
        targets=dataset.targets[:, columns],
        definitions=tuple(dataset.definitions[column] for column in columns),
    )


def _exclusion(
    studies: tuple[StudyId, ...], path: Optional[Path]
) -> tuple[np.ndarray, Mapping[str, Any]]:
    """Which studies a file of names excludes, bool ``(studies,)``, and what is kept of that."""
    excluded = np.zeros(len(studies), dtype=bool)
    if path is None:
        return excluded, {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise MimirError(
            "EXCLUSIONS_UNREADABLE",
            f"{path.name} cannot be read ({type(error).__name__})",
            "Check the path: who withdrew must not be used.",
        ) from error
    keys = {key for line in lines if (key := line.split("#")[0].strip())}
    rows_of = rows_by_key(studies)
    for key in keys & rows_of.keys():
        excluded[list(rows_of[key])] = True
    recorded = {"file": path.name, "sha256": file_sha256(path), "studies": int(excluded.sum())}
    return excluded, {"excluded": {**recorded, "not_there": len(keys - rows_of.keys())}}


def _names(studies: tuple[StudyId, ...], chosen: np.ndarray) -> list[str]:
    return [study.name for study, is_chosen in zip(studies, chosen) if is_chosen]


def _unreadable(folder: Path, error: Exception) -> MimirError:
    return MimirError(
        "DATASET_UNREADABLE",
        f"{folder.name} is no data set ({error})",
        "Make one by `mimir project --dataset`.",
    )
