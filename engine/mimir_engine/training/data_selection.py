"""Choose the studies and targets that a network is trained on; list the others with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.cohort.image_folder import StudyId
from mimir_engine.errors import MimirError
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.training.dataset import Dataset, covariates_of, load_dataset, load_images
from mimir_engine.training.targets import read_definitions, read_targets, rows_by_key

#: Reasons why a study is not used.
EXCLUDED, UNLABELLED, UNKNOWN = "excluded", "unlabelled", "unknown"
#: Size of the list of excluded participants in bytes: a million have some 8 MB.
MAX_EXCLUSION_BYTES = 64 * 2**20


def choose_data(
    folder: Path,
    tables: Sequence[Path] = (),
    definitions: Optional[Path] = None,
    exclude: Optional[Path] = None,
    only: Sequence[str] = (),
) -> Dataset:
    """Build the data set of a folder of images and of tables of targets.

    Its `left_out` lists studies that are excluded, studies without any target, and names in the
    tables that have no image.

    Args:
        folder: Folder of images.
        tables: Tables of targets; without any, the folder's own targets are used.
        definitions: Table of target definitions.
        exclude: File of people who withdrew and of studies not to use: a participant, a
            participant and visit, or a study's name on each line; ``#`` begins a comment.
        only: Targets to learn; empty for all.

    Raises:
        MimirError: ``DATASET_UNREADABLE``, ``DATASET_INCOMPLETE``, ``TARGETS_INVALID``,
            ``TARGET_UNKNOWN``, ``EXCLUSIONS_UNREADABLE``, ``NO_STUDIES``.
    """
    if definitions and not tables:
        raise MimirError("WRONG_USE", "--definitions requires tables of targets", "Add --targets.")
    dataset = _with_tables(folder, tables, definitions) if tables else load_dataset(folder)
    excluded, exclusion = _exclusion(dataset.studies, exclude)
    chosen = _only(dataset, only)
    labelled = np.isfinite(chosen.targets).any(axis=1)
    unlabelled, used = ~labelled & ~excluded, labelled & ~excluded
    names = np.array([study.name for study in dataset.studies], dtype=object)
    if not used.any():
        raise MimirError("NO_STUDIES", f"no study of {folder.name} is left", "Check the tables.")
    return replace(
        chosen.subset(used),
        provenance={
            **chosen.provenance,
            **exclusion,
            "studies": int(used.sum()),
            "unlabelled": int(unlabelled.sum()),
        },
        left_out={
            EXCLUDED: tuple(names[excluded]),
            UNLABELLED: tuple(names[unlabelled]),
            **chosen.left_out,
        },
    )


def _with_tables(folder: Path, tables: Sequence[Path], definitions: Optional[Path]) -> Dataset:
    """Combine the images of a folder with targets of tables, which replace the folder's own."""
    dataset = load_images(folder)
    table = read_targets(tables, dataset.studies)
    sources = [{"name": path.name, "sha256": file_sha256(path)} for path in tables]
    return replace(
        dataset,
        targets=table.values,
        definitions=read_definitions(definitions, table),
        provenance={**dataset.provenance, "tables": sources, "unknown": len(table.unknown)},
        covariates=covariates_of(table.names, table.values),
        left_out={UNKNOWN: table.unknown},
    )


def _only(dataset: Dataset, names: Sequence[str]) -> Dataset:
    known = dataset.target_names
    absent = [name for name in names if name not in known]
    if absent:
        raise MimirError(
            "TARGET_UNKNOWN",
            f"unknown target {', '.join(absent)}",
            f"Choose from {', '.join(known)}.",
        )
    if not names:
        return dataset
    columns = [known.index(name) for name in names]
    return replace(
        dataset,
        targets=dataset.targets[:, columns],
        definitions=tuple(dataset.definitions[column] for column in columns),
    )


def _exclusion(
    studies: tuple[StudyId, ...], path: Optional[Path]
) -> tuple[np.ndarray, Mapping[str, Any]]:
    """Read the excluded studies, bool ``(studies,)``, and their entry in the provenance."""
    excluded = np.zeros(len(studies), dtype=bool)
    if path is None:
        return excluded, {}
    try:
        with path.open("rb") as file:
            content = file.read(MAX_EXCLUSION_BYTES + 1)
        if len(content) > MAX_EXCLUSION_BYTES:
            raise ValueError("too large")
        lines = content.decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise MimirError(
            "EXCLUSIONS_UNREADABLE",
            f"{path.name} cannot be read ({type(error).__name__})",
            "Check the path: data of people who withdrew must not be used.",
        ) from error
    keys = {key for line in lines if (key := line.split("#")[0].strip())}
    rows_of = rows_by_key(studies)
    for key in keys & rows_of.keys():
        excluded[list(rows_of[key])] = True
    kept = {
        "file": path.name,
        "sha256": sha256(content).hexdigest(),
        "studies": int(excluded.sum()),
    }
    return excluded, {"excluded": {**kept, "not_there": len(keys - rows_of.keys())}}
