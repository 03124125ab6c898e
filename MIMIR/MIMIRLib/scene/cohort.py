"""The table of all measured studies of a scene: one row per study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Optional

from MIMIRLib.scene.index import owned
from MIMIRLib.scene.node_marks import COHORT, single_line
from MIMIRLib.scene.shown_measurement import ShownMeasurement
from MIMIRLib.scene.shown_study import ShownStudy, shown_studies
from MIMIRLib.scene.tables import Column, digits, fill_table, table_node
from MIMIRLib.scene.transaction import Transaction, discard
from MIMIRLib.translate import tr as _

#: Key of the cohort's table; no study has it, since file names have no slash.
COHORT_KEY = "/cohort"
#: A cohort has at least so many studies.
MIN_STUDIES = 2


@dataclass(frozen=True)
class RawColumn:
    """A column in full precision, named as in the engine's ``predictions.csv``.

    Attributes:
        name: Its name.
        title: Its header for people.
        values: One per study; None where it is not known.
    """

    name: str
    title: str
    values: Sequence[Optional[float]]


@dataclass(frozen=True)
class Cohort:
    """Measured studies.

    Attributes:
        studies: In the order of their first measurement.
    """

    studies: tuple[ShownStudy, ...]

    @cached_property
    def by_name(self) -> list[Mapping[str, ShownMeasurement]]:
        """Each study's measurements by name."""
        return [{one.name: one for one in study.measurements} for study in self.studies]

    @cached_property
    def measurements(self) -> list[tuple[str, ShownMeasurement]]:
        """Heading, and one example, of each measurement that some study has.

        If inference modules measure the same, the headings name these.
        """
        examples = {one.name: one for study in self.studies for one in study.measurements}
        counts = Counter(one.heading for one in examples.values())
        ordered = sorted(examples.values(), key=lambda one: one.place)
        return [
            (f"{one.heading}, {one.module}" if counts[one.heading] > 1 else one.heading, one)
            for one in ordered
        ]

    @cached_property
    def raw_columns(self) -> list[RawColumn]:
        """All measurements in full precision."""
        cells = [[dict(_raw_cells(one)) for one in row.values()] for row in self.by_name]
        rows = [{name: value for cell in row for name, value in cell.items()} for row in cells]
        titles = {
            name: title
            for heading, example in self.measurements
            for row in self.by_name
            if example.name in row
            for name, title in _raw_titles(heading, row[example.name])
        }
        return [
            RawColumn(name, title, [row.get(name) for row in rows])
            for name, title in titles.items()
        ]


def cohort_of(studies: Iterable[ShownStudy]) -> Cohort:
    """Return the cohort of the studies whose measurements are known."""
    return Cohort(tuple(study for study in studies if study.measurements))


def find_cohort(scene: Any) -> Optional[Any]:
    """Return the scene's table of the cohort; None if it does not exist."""
    return owned(scene, COHORT_KEY, COHORT)


def update_cohort(scene: Any) -> Optional[Any]:
    """Make the table of all measured studies of a scene, or update it; remove it below two studies.

    Call it after a study was measured or deleted. The node stays the same, so that views and the
    user's changes of its name stay.

    Returns:
        The table; None without one.
    """
    cohort, node = cohort_of(shown_studies(scene)), find_cohort(scene)
    if len(cohort.studies) < MIN_STUDIES:
        if node is not None:
            discard(scene, [node])
        return None
    columns = cohort_columns(cohort)
    if node is not None:
        fill_table(node, columns)
        return node
    with Transaction(scene) as transaction:
        node = transaction.add(table_node(columns, _("MIMIR cohort")), COHORT_KEY, COHORT)
        transaction.commit()
    return node


def cohort_columns(cohort: Cohort) -> list[Column]:
    """Return the columns of the table: estimates for people, then all digits for scripts."""
    studies = cohort.studies
    return [
        Column("patient", [single_line(s.patient) or "?" for s in studies], _("Patient ID")),
        Column("date", [single_line(s.date) for s in studies], _("Date")),
        Column("eid", [single_line(s.eid) for s in studies]),
        Column("instance", [single_line(s.instance) for s in studies]),
        *(
            Column(
                f"{one.name}_shown",
                [row[one.name].number if one.name in row else "" for row in cohort.by_name],
                heading,
                one.title,
            )
            for heading, one in cohort.measurements
        ),
        Column("flags", ["; ".join(s.flags) for s in studies], _("Flags")),
        *(Column(raw.name, list(map(digits, raw.values)), raw.title) for raw in cohort.raw_columns),
        Column("study", [single_line(s.key) for s in studies], _("Study UID or file")),
    ]


def _raw_cells(one: ShownMeasurement) -> Iterable[tuple[str, Optional[float]]]:
    return zip(_raw_names(one), (one.value, one.sd, one.lower, one.upper))


def _raw_titles(heading: str, one: ShownMeasurement) -> Iterator[tuple[str, str]]:
    percent = f"{100 * (one.level or 0):g} %"
    words = (
        _("all digits"),
        _("SD"),
        _("lower {percent}").format(percent=percent),
        _("upper {percent}").format(percent=percent),
    )
    return ((name, f"{heading}: {word}") for name, word in zip(_raw_names(one), words))


def _raw_names(one: Any) -> list[str]:
    """Return the names of a measurement's columns: value, SD and bounds, as far as it has them."""
    from mimir_engine.cohort.tables.columns import measurement_columns

    if one.level is None:
        return [one.name]
    return list(measurement_columns(one.name, one, one.level))
