"""Apply lists of ids to predictions, and tell the person of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import Predictions


def choose_predictions(
    predictions: Predictions, choice: StudyChoice, persons: PersonRule
) -> tuple[Predictions, Mapping[str, Any], tuple[str, ...]]:
    """Select the studies, and add the group "person" unless their names tell it.

    Returns:
        The predictions; persons and numbers of ids, for a record; what to say about the lists.

    Raises:
        MimirError: ``NO_STUDIES``, and the errors of `StudyChoice.apply` and `PersonRule.assign`.
    """
    studies, known = persons.assign(predictions.study_ids)
    ids = [study.ids for study in studies]
    chosen = choice.apply(ids)
    used = chosen.used(ids)
    if not used.any():
        raise MimirError("NO_STUDIES", "no study is left", "Check the lists of ids.")
    person = tuple(study.person for study in studies)
    if person != predictions.persons:
        groups = {**predictions.groups, "person": person}
        predictions = replace(predictions, groups=groups)
    if not used.all():
        predictions = predictions.subset(used)
    record = {**known, "persons": len(set(predictions.persons))}
    if chosen.record:
        record["ids"] = chosen.record
    return predictions, record, chosen.sentences
