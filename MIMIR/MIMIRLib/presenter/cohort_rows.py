"""Show a cohort in the panel's table: one row per study, one column per measurement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from MIMIRLib.presenter.measurement_rows import flags_cell, order_of
from MIMIRLib.presenter.table_row import Cell, Row, TableColumn
from MIMIRLib.scene.cohort import Cohort
from MIMIRLib.scene.shown_measurement import NOTHING, ShownMeasurement
from MIMIRLib.translate import tr as _


def cohort_columns(cohort: Cohort, group: str) -> list[TableColumn]:
    """Return the columns of a cohort.

    Args:
        cohort: The studies.
        group: Only measurements of this group; empty for all.
    """
    is_biobank = any(study.eid for study in cohort.studies)
    return [
        TableColumn("patient", _("Patient ID")),
        TableColumn("date", _("Date")),
        TableColumn("eid", "eid", _("UK Biobank's participant number"), is_shown=is_biobank),
        TableColumn("instance", "instance", _("UK Biobank's visit"), is_shown=is_biobank),
        *(
            TableColumn(one.name, heading, one.title, one.group)
            for heading, one in _measurements(cohort, group)
        ),
        TableColumn("flags", _("Flags")),
        TableColumn("study", _("Study UID or file"), is_shown=False),
    ]


def cohort_rows(cohort: Cohort, group: str) -> Iterator[Row]:
    """Yield the studies of a cohort as rows, with the cells of `cohort_columns`."""
    names = [one.name for _heading, one in _measurements(cohort, group)]
    for study, row in zip(cohort.studies, cohort.by_name):
        yield Row(
            study.key,
            (
                Cell(study.patient, tooltip=study.label),
                *(Cell(study.date), Cell(study.eid), Cell(study.instance)),
                *(_cell(row.get(name)) for name in names),
                flags_cell(study.flags),
                Cell(study.key),
            ),
        )


def _measurements(cohort: Cohort, group: str) -> list[tuple[str, ShownMeasurement]]:
    return [(text, one) for text, one in cohort.measurements if group in ("", one.group)]


def _cell(one: Optional[ShownMeasurement]) -> Cell:
    if one is None:
        return Cell("", order_of(None), _("not measured in this study"))
    if one.interval == NOTHING:
        return Cell(one.number, order_of(one.value), one.note)
    tooltip = _("{estimate}; {percent:g} % interval: {interval}").format(
        estimate=one.estimate, percent=100 * (one.level or 0), interval=one.interval
    )
    return Cell(one.number, order_of(one.value), tooltip)
