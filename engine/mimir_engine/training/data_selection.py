"""Choose the studies and targets that a network is trained on; list the others with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.inclusion.chosen_studies import ALL_STUDIES, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.files.file_sha256 import file_sha256
from mimir_engine.training.dataset import Dataset, covariates_of, load_dataset, load_images
from mimir_engine.training.joined_dataset import open_joined
from mimir_engine.training.targets import check_definition, read_labels, read_targets

#: Reasons why a study is not used.
EXCLUDED, UNASKED, UNLABELLED, UNKNOWN = "excluded", "unasked", "unlabelled", "unknown"


def choose_data(
    folders: Sequence[Path],
    tables: Sequence[Path] = (),
    definitions: Optional[Path] = None,
    choice: StudyChoice = ALL_STUDIES,
    persons: PersonRule = FROM_NAMES,
    only_targets: Sequence[str] = (),
    allow_odd_values: bool = False,
) -> Dataset:
    """Build the data set of folders of images and of tables of targets.

    Its `left_out` lists studies that are excluded or not asked for, studies without any target, and
    names in the tables that have no image. Its `notes` say in sentences what a reader should know.

    Args:
        folders: Folders of images, at least one.
        tables: Tables of targets; without any, the folder's own targets are used.
        definitions: Table of target definitions.
        choice: Which studies are used.
        persons: How persons are known.
        only_targets: Targets to learn; empty for all.
        allow_odd_values: See `read_labels`.

    Raises:
        MimirError: ``DATASET_UNREADABLE``, ``DATASET_INCOMPLETE``, ``TARGETS_INVALID``,
            ``UNITS_DOUBTFUL``, ``TARGET_UNKNOWN``, ``NO_STUDIES``, and the errors of `open_joined`,
            `StudyChoice.apply` and `PersonRule.assign`.
    """
    if definitions and not tables:
        raise MimirError("WRONG_USE", "--definitions requires tables of targets", "Add --targets.")
    if tables:
        dataset = _with_tables(folders, tables, definitions, only_targets, allow_odd_values)
    else:
        dataset = _only(open_joined(folders, load_dataset), only_targets)
    for definition in dataset.definitions:
        check_definition(definition)
    dataset, unused = choose_studies(dataset, choice, persons)
    labelled = np.isfinite(dataset.targets).any(axis=1)
    names = np.array([study.name for study in dataset.studies], dtype=object)
    if not labelled.any():
        raise MimirError("NO_STUDIES", "no study with a target is left", "Check the tables.")
    chosen = dataset.subset(labelled)
    counts = {
        "studies": int(labelled.sum()),
        "unlabelled": int((~labelled).sum()),
        "persons": len({study.person for study in chosen.studies}),
    }
    return replace(
        chosen,
        provenance={**chosen.provenance, **counts},
        left_out={**unused, UNLABELLED: tuple(names[~labelled]), **chosen.left_out},
    )


def choose_studies(
    dataset: Dataset, choice: StudyChoice, persons: PersonRule
) -> tuple[Dataset, dict[str, tuple[str, ...]]]:
    """Select the studies of a data set and tell their persons; also return the names left out.

    Raises:
        MimirError: ``NO_STUDIES``, and the errors of `StudyChoice.apply` and `PersonRule.assign`.
    """
    studies, known = persons.assign(dataset.studies)
    ids = [study.ids for study in studies]
    chosen = choice.apply(ids)
    excluded, unasked = chosen.excluded(ids), chosen.unasked(ids)
    names = np.array([study.name for study in studies], dtype=object)
    unused = {EXCLUDED: excluded, UNASKED: unasked & ~excluded}
    if not chosen.used(ids).any():
        raise MimirError("NO_STUDIES", "no study is left", "Check the lists of ids.")
    dataset = replace(dataset, studies=studies, notes=(*chosen.sentences, *dataset.notes))
    used = dataset.subset(chosen.used(ids))
    facts = {**used.provenance, **known, **({"ids": chosen.record} if chosen.record else {})}
    facts["persons"] = len({study.person for study in used.studies})
    left_out = {why: tuple(names[mask]) for why, mask in unused.items()}
    return replace(used, provenance=facts), left_out


def _with_tables(
    folders: Sequence[Path],
    tables: Sequence[Path],
    definitions: Optional[Path],
    only_targets: Sequence[str],
    allow_odd_values: bool,
) -> Dataset:
    """Combine images with targets of tables, which replace the folders' own."""
    dataset = open_joined(folders, load_images)
    table = read_targets(tables, dataset.studies)
    labels = read_labels(definitions, table, only_targets, allow_odd_values)
    sources = [{"name": path.name, "sha256": file_sha256(path)} for path in tables]
    facts = {"tables": sources, "unknown": len(table.unknown)}
    notes = labels.notes
    if labels.coded:
        facts["missing_codes"] = dict(labels.coded)
        counts = ", ".join(f"{count} of {name}" for name, count in labels.coded.items())
        notes = (*notes, f"codes of UK Biobank for missing answers, which are no labels: {counts}")
    combined = replace(
        dataset,
        targets=labels.values,
        definitions=labels.definitions,
        provenance={**dataset.provenance, **facts},
        covariates=covariates_of(table.names, labels.values),
        studies=tuple(
            replace(study, given_person=table.persons.get(row, study.given_person))
            for row, study in enumerate(dataset.studies)
        ),
        left_out={UNKNOWN: table.unknown},
        notes=notes,
    )
    return _only(combined, only_targets)


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
