"""Forget studies whose results the user has deleted: nothing hidden of them stays in the scene."""

from __future__ import annotations

from typing import Any

from MIMIRLib.scene.cohort import find_cohort, update_cohort
from MIMIRLib.scene.index import all_indices, has_nodes, referenced
from MIMIRLib.scene.node_marks import (
    CHART,
    CHART_DATA,
    PROFILE,
    PROFILE_DATA,
    PROFILE_SERIES,
    SERIES,
)
from MIMIRLib.scene.transaction import discard

#: Hidden nodes, by role, and the node that they serve.
SERVED_BY = {
    CHART_DATA: CHART,
    SERIES: CHART,
    PROFILE_DATA: PROFILE,
    PROFILE_SERIES: PROFILE,
}


def forget_deleted(scene: Any) -> None:
    """Remove what only served deleted nodes, and update the table of the cohort.

    Of a study without any results, that is all: hidden nodes, the patient's name and ID, and its
    row of the table. A table that the user has deleted is not made again.
    """
    for index in list(all_indices(scene)):
        for hidden, shown in SERVED_BY.items():
            if not referenced(index, shown):
                discard(scene, referenced(index, hidden))
        if not has_nodes(index):
            scene.RemoveNode(index)
    if find_cohort(scene) is not None:
        update_cohort(scene)
