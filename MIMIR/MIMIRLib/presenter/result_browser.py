"""The results in the scene, read from its table nodes: also those of a scene that was loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional
from urllib.parse import unquote

from MIMIRLib.presenter.rows import Cell, Row
from MIMIRLib.scene.marks import MEASUREMENTS, ROLE_MARK, STUDY_MARK, plain
from MIMIRLib.scene.results import (
    COHORT_KEY,
    StudyNodes,
    find_cohort,
    find_results,
)
from MIMIRLib.scene.tables import column_values, findings_of, write_csv

#: Heads of the columns of the table of measurements, and of the list of failures.
MEASUREMENT_COLUMNS = (
    *("Measurement", "Value", "Interval", "Percentile", "z", "SD"),
    *("Flags", "Study"),
)
FAILURE_COLUMNS = ("Study", "Reason")
#: What is not known comes last.
UNKNOWN = math.inf


@dataclass(frozen=True)
class Measured:
    """A study with results.

    Attributes:
        key: Study UID or file name.
        title: For people.
        nodes: Its nodes.
    """

    key: str
    title: str
    nodes: StudyNodes


class ResultBrowser:
    """The results of a scene, one study's or all of a cohort's at a time.

    Args:
        scene: The scene.

    Attributes:
        studies: The studies with results.
        selected: Key of the one that is looked at, or of the cohort.
    """

    def __init__(self, scene: Any) -> None:
        self.studies: tuple[Measured, ...] = ()
        self.selected = ""
        self._scene = scene
        self._cohort: Optional[Any] = None

    @property
    def titles(self) -> list[tuple[str, str]]:
        """Key and title of all that can be looked at; the cohort comes last."""
        titles = [(study.key, study.title) for study in self.studies]
        if self._cohort is not None:
            count = self._cohort.GetNumberOfRows()
            titles.append((COHORT_KEY, f"Cohort of {count} studies"))
        return titles

    @property
    def rows(self) -> list[Row]:
        """The measurements looked at."""
        return [row for study in self._looked_at() for row in measurement_rows(study)]

    @property
    def flag_sentences(self) -> list[str]:
        """What the flags and findings of all that is looked at mean, each once."""
        from mimir_engine.measuring.flags import flag_sentence

        said: dict[str, None] = {}
        for study in self._looked_at():
            findings = findings_of(study.nodes.table)
            said.update(dict.fromkeys(f"{finding['sentence']}." for finding in findings))
            for flags in column_values(study.nodes.table, "flags"):
                said.update(dict.fromkeys(flag_sentence(code) for code in _codes(flags)))
        return list(said)

    @property
    def nodes(self) -> Optional[StudyNodes]:
        """What Slicer's views should show: the study's nodes, or the cohort's table."""
        if self.selected == COHORT_KEY:
            return StudyNodes(table=self._cohort)
        return next((study.nodes for study in self._looked_at()), None)

    def refresh(self) -> None:
        """Look at the scene anew."""
        self.studies = tuple(_studies_of(self._scene))
        self._cohort = find_cohort(self._scene)
        keys = [key for key, _ in self.titles]
        if self.selected not in keys:
            self.selected = keys[0] if keys else ""

    def select(self, key: str) -> None:
        """Look at a study, or at the cohort."""
        self.selected = key

    def export(self, path: str) -> str:
        """Write the table that is looked at as CSV; what came of it.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        nodes = self.nodes
        if nodes is None:
            return "There are no results to write."
        write_csv(path, nodes.table)
        return f"Written to {Path(path).name}."

    def _looked_at(self) -> list[Measured]:
        if self.selected == COHORT_KEY and self._cohort is not None:
            names = set(column_values(self._cohort, "name"))
            return [study for study in self.studies if plain(study.key) in names]
        return [study for study in self.studies if study.key == self.selected]


def measurement_rows(study: Measured) -> Iterator[Row]:
    """A study's measurements as rows of the panel's table."""
    table = study.nodes.table
    names = ("measurement", "value", "unit", "interval", "lower", "SD", "z", "percentile")
    columns = [column_values(table, name) for name in (*names, "class", "flags", "name")]
    level = table.GetColumnTitle("interval")
    for label, value, unit, interval, lower, sd, z, percentile, sex, flags, name in zip(*columns):
        shown = f"{sex} ({value:.2f})" if sex else f"{_number(value, sd)} {unit}"
        yield Row(
            f"{study.key} {name}",
            (
                Cell(label, tooltip=name),
                Cell(shown, value),
                Cell(interval, _order(lower), level if interval else ""),
                Cell(_percent(percentile), _order(percentile)),
                Cell("" if math.isnan(z) else f"{z:+.1f}", _order(z)),
                Cell(_number(sd, sd / 10), _order(sd)),
                Cell(flags, tooltip=_sentences(flags)),
                Cell(study.title),
            ),
        )


def _studies_of(scene: Any) -> Iterator[Measured]:
    """Studies whose table of measurements is MIMIR's own, not a user's copy."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLTableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLTableNode")
        if node.GetAttribute(ROLE_MARK) == MEASUREMENTS:
            key = unquote(node.GetAttribute(STUDY_MARK))
            nodes = find_results(scene, key)
            if nodes is not None and nodes.table is node:
                yield Measured(key, nodes.label or key, nodes)


def _number(value: float, sd: float) -> str:
    """With as many decimals as its standard deviation gives sense to."""
    from mimir_engine.measuring.display_text import number

    if math.isnan(value):
        return ""
    return f"{value:.4g}" if math.isnan(sd) else number(value, sd)


def _percent(percentile: float) -> str:
    from mimir_engine.measuring.display_text import percentile_text

    return percentile_text(None if math.isnan(percentile) else percentile)


def _order(value: float) -> float:
    return UNKNOWN if math.isnan(value) else value


def _codes(flags: str) -> list[str]:
    return [code.strip() for code in flags.split(";") if code.strip()]


def _sentences(flags: str) -> str:
    from mimir_engine.measuring.flags import flag_sentence

    return " ".join(map(flag_sentence, _codes(flags)))
