"""Read the results in the scene from its table nodes, also those of a loaded scene."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Optional
from urllib.parse import unquote

from MIMIRLib.analysis.scan_job import ScanOutcome
from MIMIRLib.presenter.finding_list import Finding, StudyFindings
from MIMIRLib.presenter.table_row import Cell, Row
from MIMIRLib.scene.node_marks import MEASUREMENTS, ROLE_MARK, STUDY_MARK, single_line
from MIMIRLib.scene.results import COHORT_KEY, StudyNodes, find_cohort, find_results
from MIMIRLib.scene.tables import column_values, findings_of, write_table
from MIMIRLib.translate import tr as _

#: Headers of the columns of the table of measurements.
MEASUREMENT_COLUMNS = (
    *(_("Measurement"), _("Value"), _("Interval"), _("Percentile"), _("z"), _("SD")),
    *(_("Flags"), _("Study")),
)
#: The finding of a study whose water and fat were exchanged back.
REPAIRED = "WATER_FAT_REPAIRED"
#: Sort key that puts unknown values last.
UNKNOWN = math.inf


class ResultBrowser:
    """The results of a scene, one study or the cohort at a time.

    Args:
        scene: The scene.

    Attributes:
        studies: The studies with results.
        selected: Key of the selected study, or of the cohort.
    """

    def __init__(self, scene: Any) -> None:
        self.studies: tuple[StudyNodes, ...] = ()
        self.selected = ""
        self._scene = scene
        self._cohort: Optional[Any] = None

    @property
    def titles(self) -> list[tuple[str, str]]:
        """Key and title of each study; the cohort comes last."""
        titles = [(study.key, _title(study)) for study in self.studies]
        if self._cohort is not None:
            count = self._cohort.GetNumberOfRows()
            titles.append((COHORT_KEY, _("Cohort of {count} studies").format(count=count)))
        return titles

    @property
    def rows(self) -> list[Row]:
        """The selected measurements."""
        return [row for study in self._selected() for row in measurement_rows(study)]

    @property
    def flag_sentences(self) -> list[str]:
        """The flags of the selected measurements in sentences, each once."""
        sentences: dict[str, None] = {}
        for study in self._selected():
            for flags in column_values(study.table, "flags"):
                sentences.update(dict.fromkeys(_flag_sentences(flags)))
        return list(sentences)

    def findings(self, outcomes: Mapping[str, ScanOutcome]) -> list[StudyFindings]:
        """Return the findings of the selected studies.

        Args:
            outcomes: What checks found, by the study's key: they have the stations and pictures.
                The picture of a study that was repaired since then is left out.
        """
        found = []
        for study in self._selected():
            outcome = outcomes.get(study.key, ScanOutcome(study.key))
            findings = findings_of(study.table)
            is_as_checked = _sentences(outcome.findings) <= _sentences(findings)
            picture = outcome.picture if is_as_checked else b""
            found.append(StudyFindings(study.key, study.label, findings, outcome.stations, picture))
        return found

    def nodes_of(self, key: str) -> Optional[StudyNodes]:
        """Return the nodes of a study, measured or not; None if it has none."""
        return find_results(self._scene, key)

    @property
    def nodes(self) -> Optional[StudyNodes]:
        """The selected nodes for Slicer's views: the study's, or the cohort's table."""
        if self.selected == COHORT_KEY:
            return StudyNodes(table=self._cohort, key=COHORT_KEY)
        return next(iter(self._selected()), None)

    def refresh(self) -> None:
        """Read the scene again."""
        self.studies = tuple(_studies_of(self._scene))
        self._cohort = find_cohort(self._scene)
        keys = [key for key, _title in self.titles]
        if self.selected not in keys:
            self.selected = keys[0] if keys else ""

    def select(self, key: str) -> None:
        """Select a study, or the cohort."""
        self.selected = key

    def export(self, path: str) -> str:
        """Write the selected table as CSV; return the outcome.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        nodes = self.nodes
        if nodes is None:
            return _("No results to write.")
        write_table(path, nodes.table)
        return _("Written to {name}.").format(name=Path(path).name)

    def _selected(self) -> list[StudyNodes]:
        if self.selected == COHORT_KEY and self._cohort is not None:
            names = set(column_values(self._cohort, "name"))
            return [study for study in self.studies if single_line(study.key) in names]
        return [study for study in self.studies if study.key == self.selected]


def measurement_rows(study: StudyNodes) -> Iterator[Row]:
    """Yield a study's measurements as rows of the panel's table."""
    table = study.table
    names = ("measurement", "value", "unit", "interval", "lower", "SD", "z", "percentile")
    columns = [column_values(table, name) for name in (*names, "class", "flags", "note", "name")]
    level = table.GetColumnTitle("interval")
    for label, value, unit, interval, lower, sd, z, percentile, sex, flags, note, name in zip(
        *columns
    ):
        shown = f"{sex} ({value:.2f})" if sex else f"{_number(value, sd)} {unit}"
        if math.isnan(value):
            shown = "-"
        yield Row(
            f"{study.key} {name}",
            (
                Cell(label, tooltip=name),
                Cell(shown, _order(value)),
                Cell(interval or note, _order(lower), level if interval else note),
                Cell(_percent(percentile), _order(percentile)),
                Cell("" if math.isnan(z) else f"{z:+.1f}", _order(z)),
                Cell(_number(sd, sd / 10), _order(sd)),
                Cell(flags, tooltip=" ".join(_flag_sentences(flags))),
                Cell(study.label),
            ),
        )


def _studies_of(scene: Any) -> Iterator[StudyNodes]:
    """Yield the studies whose table of measurements is MIMIR's own, not a user's copy."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLTableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLTableNode")
        if node.GetAttribute(ROLE_MARK) == MEASUREMENTS:
            key = unquote(node.GetAttribute(STUDY_MARK))
            nodes = find_results(scene, key)
            if nodes is not None and nodes.table is node:
                yield nodes


def _sentences(findings: Iterable[Finding]) -> set[str]:
    return {finding["sentence"] for finding in findings}


def _title(study: StudyNodes) -> str:
    """Return a study's label, and whether its water and fat were exchanged back."""
    if all(finding["code"] != REPAIRED for finding in findings_of(study.table)):
        return study.label
    return _("Repaired: {label}").format(label=study.label)


def _number(value: float, sd: float) -> str:
    """Return a value with as many decimals as its standard deviation justifies."""
    from mimir_engine.measuring.display_text import number

    if math.isnan(value):
        return ""
    return f"{value:.4g}" if math.isnan(sd) else number(value, sd)


def _percent(percentile: float) -> str:
    from mimir_engine.measuring.display_text import percentile_text

    return percentile_text(None if math.isnan(percentile) else percentile)


def _order(value: float) -> float:
    return UNKNOWN if math.isnan(value) else value


def _flag_sentences(flags: str) -> list[str]:
    from mimir_engine.measuring.flags import flag_sentence

    return [flag_sentence(code) for code in filter(None, map(str.strip, flags.split(";")))]
