"""Decide whose predictions and images an inference module is calibrated on.

People who were excluded from training stay excluded: their names are beside each run.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.cohort.images.image_folder import StudyId, study_id
from mimir_engine.cohort.inclusion.chosen_studies import ALL_STUDIES, StudyChoice
from mimir_engine.cohort.inclusion.persons import FROM_NAMES, PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.regular_file import open_regular
from mimir_engine.files.table_reader import to_text
from mimir_engine.training.data_selection import EXCLUDED
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.run_files import RUN_STUDIES, USED

Held = Union[Dataset, Predictions]


@dataclass(frozen=True)
class People:
    """Who is in, for calibration and for statistics of images.

    Attributes:
        choice: Lists of ids.
        persons: How persons are known.
        left_out: Names of studies that were excluded from training.
        trained: Studies that the networks were trained on, as far as they are known.
    """

    choice: StudyChoice = ALL_STUDIES
    persons: PersonRule = FROM_NAMES
    left_out: frozenset[str] = frozenset()
    trained: tuple[StudyId, ...] = ()


#: All studies, with persons that are known by names of UK Biobank's form.
EVERYBODY = People()


@dataclass(frozen=True, eq=False)
class ChosenPeople:
    """The data of those who are in.

    Attributes:
        held: Data to calibrate on, with the person of each study.
        images: Images for statistics, if they are others.
        record: Persons and numbers of ids, for a module's provenance.
        notes: What to say about them.
    """

    held: Held
    images: Optional[Dataset]
    record: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def people_of_runs(
    runs: Sequence[Path], choice: StudyChoice = ALL_STUDIES, persons: PersonRule = FROM_NAMES
) -> People:
    """Add to the lists of ids who was used and who was excluded in training.

    Raises:
        MimirError: ``DATASET_UNREADABLE`` for a damaged list of a run's studies.
    """
    used, left_out = set[StudyId](), set[str]()
    for path in (run / RUN_STUDIES for run in runs):
        if not path.exists():
            continue
        try:
            with TextIOWrapper(open_regular(path), "utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    name, person = to_text(row["study"]), to_text(row["person"])
                    if row["state"] == USED:
                        used.add(study_id(name, given_person=person))
                    elif row["state"] == EXCLUDED:
                        left_out.add(name)
        except (OSError, ValueError, KeyError, csv.Error) as error:
            raise MimirError(
                "DATASET_UNREADABLE",
                f"{RUN_STUDIES} of {path.parent.name} cannot be read ({type(error).__name__})",
                "Let `mimir train` write it: it tells who must not be used.",
            ) from error
    return People(choice, persons, frozenset(left_out), tuple(used))


def choose_people(people: People, held: Held, images: Optional[Dataset] = None) -> ChosenPeople:
    """Select the studies of the calibration and the images; tell the persons of the former.

    Raises:
        MimirError: ``NO_STUDIES``, ``DATASET_MISMATCH`` for images of people who were part of the
            training, and the errors of `StudyChoice.apply` and `PersonRule.assign`.
    """
    given = held.studies if isinstance(held, Dataset) else held.study_ids
    studies, known = people.persons.assign(given)
    shown = people.persons.assign(images.studies if images else (), required=False)[0]
    gone = people.persons.assign([study_id(n) for n in sorted(people.left_out)], required=False)[0]
    sources = [[study.ids for study in part] for part in (studies, shown, people.trained, gone)]
    chosen = people.choice.apply(*sources)
    used, used_images = (
        chosen.used(ids) & np.array([s.name not in people.left_out for s in part], dtype=bool)
        for ids, part in zip(sources, (studies, shown))
    )
    if not used.any() or (images is not None and not used_images.any()):
        raise MimirError("NO_STUDIES", "no study is left", "Check the lists of ids.")
    kept = _with_persons(held, studies).subset(used)
    _check_unseen(kept, people.trained)
    record = {**known, "persons": len({s.person for s, is_in in zip(studies, used) if is_in})}
    notes = list(chosen.sentences)
    if chosen.record:
        record["ids"] = chosen.record
    if after := int(chosen.excluded(sources[2]).sum()):
        notes.append(
            f"studies of the training that are excluded now: {after}. Train again without them"
        )
    return ChosenPeople(kept, images and images.subset(used_images), record, tuple(notes))


def _check_unseen(held: Held, trained: Sequence[StudyId]) -> None:
    """Refuse images of people that the networks were trained on, at whichever visit."""
    if isinstance(held, Dataset):
        persons = {study.person for study in held.studies} & {study.person for study in trained}
        if persons:
            raise MimirError(
                "DATASET_MISMATCH",
                f"{len(persons)} persons of the calibration data were part of the training",
                "Give data of other people, leave these out with --exclude, or calibrate on a"
                " cross-validation.",
            )


def _with_persons(held: Held, studies: tuple[StudyId, ...]) -> Held:
    if isinstance(held, Dataset):
        return replace(held, studies=studies)
    person = tuple(study.person for study in studies)
    return replace(held, groups={**held.groups, "person": person})
