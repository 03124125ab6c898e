"""Apply lists of ids to tables of scan numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress

import numpy as np

from mimir_engine.cohort.images.image_folder import study_id
from mimir_engine.cohort.inclusion.chosen_studies import StudyChoice
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable


def choose_scans(
    tables: Sequence[ScanNumberTable], choice: StudyChoice, persons: PersonRule
) -> tuple[list[ScanNumberTable], tuple[str, ...]]:
    """Select the scans of tables; an id of a list may be in any of them.

    Returns:
        The tables; what to say about the lists.

    Raises:
        MimirError: As `StudyChoice.apply`.
    """
    ids = [_ids(table, persons) for table in tables]
    chosen = choice.apply(*ids)
    used = [chosen.used(own) for own in ids]
    return [_subset(table, mask) for table, mask in zip(tables, used)], chosen.sentences


def _ids(table: ScanNumberTable, persons: PersonRule) -> list[frozenset[str]]:
    studies, _ = persons.assign([study_id(name) for name in table.studies], required=False)
    return [study.ids for study in studies]


def _subset(table: ScanNumberTable, used: np.ndarray) -> ScanNumberTable:
    columns = ("studies", "findings", "scanners", "months")
    kept = {name: tuple(compress(getattr(table, name), used)) for name in columns}
    return replace(table, values=table.values[used], **kept)
