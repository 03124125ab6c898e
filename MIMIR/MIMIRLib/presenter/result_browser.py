"""Read the results in the scene, also those of a loaded scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Optional

from MIMIRLib.analysis.scan_job import ScanOutcome
from MIMIRLib.presenter.cohort_rows import cohort_columns, cohort_rows
from MIMIRLib.presenter.finding_list import Finding, StudyFindings
from MIMIRLib.presenter.measurement_choice import MeasurementChoice
from MIMIRLib.presenter.measurement_rows import flag_sentences, measurement_columns
from MIMIRLib.presenter.result_findings import result_findings
from MIMIRLib.presenter.table_row import Row, TableColumn
from MIMIRLib.scene.cohort import COHORT_KEY, MIN_STUDIES, Cohort, cohort_of, find_cohort
from MIMIRLib.scene.csv_files import write_cohort, write_study
from MIMIRLib.scene.file_stem import file_stem
from MIMIRLib.scene.results import StudyNodes, find_results
from MIMIRLib.scene.shown_measurement import ShownMeasurement
from MIMIRLib.scene.shown_study import ShownStudy, shown_studies
from MIMIRLib.translate import tr as _

#: The finding of a study whose water and fat were exchanged back.
REPAIRED = "WATER_FAT_REPAIRED"
#: In the place of the measurements of a study that an earlier version measured.
UNKNOWN = _(
    "The measurements cannot be read: an earlier version of MIMIR made them, or the scene is"
    " damaged. Measure the study again."
)


class ResultBrowser:
    """The results of a scene, one study or the cohort at a time.

    Args:
        scene: The scene.

    Attributes:
        studies: The studies with results.
        selected: Key of the selected study, or of the cohort.
        choice: Which measurements the user wants to see.
    """

    def __init__(self, scene: Any) -> None:
        self.studies: tuple[ShownStudy, ...] = ()
        self.selected = ""
        self.choice = MeasurementChoice()
        self._scene = scene
        self._cohort = Cohort(())

    @property
    def titles(self) -> list[tuple[str, str]]:
        """Key and title of each study; the cohort comes last."""
        titles = [(study.key, _title(study)) for study in self.studies]
        count = len(self._cohort.studies)
        if count >= MIN_STUDIES:
            title = _("Cohort of {count} studies").format(count=count)
            titles.append((COHORT_KEY, title))
        return titles

    @property
    def is_cohort(self) -> bool:
        """True if the cohort is selected."""
        return self.selected == COHORT_KEY

    @property
    def groups(self) -> list[str]:
        """The groups of the selected measurements, in their order."""
        return list(dict.fromkeys(one.group for one in self._measurements))

    @property
    def group(self) -> str:
        """The group shown; empty for all."""
        return self.choice.group_in(self._measurements)

    @property
    def columns(self) -> list[TableColumn]:
        """The columns of the table."""
        if self.is_cohort:
            return cohort_columns(self._cohort, self.group)
        return measurement_columns(self._measurements)

    @property
    def rows(self) -> list[Row]:
        """The rows of the table: measurements of one study, or the studies of the cohort."""
        if self.is_cohort:
            return list(cohort_rows(self._cohort, self.group))
        return self.choice.rows(self._measurements)

    @property
    def shown_names(self) -> list[str]:
        """Names of the measurements for the chart, in the order of the table; none of a cohort."""
        return [] if self.is_cohort else self.choice.names(self._measurements)

    @property
    def flag_sentences(self) -> list[str]:
        """The flags of the selected measurements in sentences, each once."""
        if any(not study.measurements for study in self._selected()):
            return [UNKNOWN]
        flags = (one.flags for study in self._selected() for one in study.measurements)
        return list(dict.fromkeys(s for codes in flags for s in flag_sentences(codes)))

    def findings(self, outcomes: Mapping[str, ScanOutcome]) -> list[StudyFindings]:
        """Return the findings of the selected studies.

        Args:
            outcomes: What checks found, by the study's key: they have the stations and pictures.
                The picture of a study that was repaired since then is left out.
        """
        found = []
        for study in self._selected():
            outcome = outcomes.get(study.key, ScanOutcome(study.key))
            findings = self._findings(study)
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
        if self.is_cohort:
            return StudyNodes(table=find_cohort(self._scene), key=COHORT_KEY)
        return find_results(self._scene, self.selected) if self.selected else None

    @property
    def file_name(self) -> str:
        """The name suggested for the file of the selected results."""
        if self.is_cohort:
            return _("MIMIR cohort {date}").format(date=date.today().isoformat()) + ".csv"
        labels = [file_stem(study.label) for study in self._selected()]
        return f"{labels[0] if labels else 'MIMIR'}.csv"

    def refresh(self) -> None:
        """Read the scene again."""
        self.studies = tuple(shown_studies(self._scene))
        self._cohort = cohort_of(self.studies)
        keys = [key for key, _title in self.titles]
        if self.selected not in keys:
            self.selected = keys[0] if keys else ""

    def select(self, key: str) -> None:
        """Select a study, or the cohort."""
        self.selected = key

    def export(self, path: str) -> str:
        """Write all measurements of the study or cohort selected as CSV; return the outcome.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        selected = self._selected()
        if not any(study.measurements for study in selected):
            return _("No results to write.")
        if self.is_cohort:
            write_cohort(path, self._cohort)
        else:
            write_study(path, selected[0])
        return _("Written to {name}.").format(name=Path(path).name)

    @property
    def _measurements(self) -> Sequence[ShownMeasurement]:
        if self.is_cohort:
            return [one for _heading, one in self._cohort.measurements]
        return [one for study in self._selected() for one in study.measurements]

    def _selected(self) -> list[ShownStudy]:
        if self.is_cohort:
            return list(self._cohort.studies)
        return [study for study in self.studies if study.key == self.selected]

    def _findings(self, study: ShownStudy) -> Sequence[Finding]:
        """Return a study's findings; beside its own numbers, also what its networks say."""
        nodes = None if self.is_cohort else self.nodes_of(study.key)
        return study.findings if nodes is None else result_findings(nodes.table)


def _title(study: ShownStudy) -> str:
    """Return a study's label, and whether its water and fat were exchanged back."""
    if all(finding["code"] != REPAIRED for finding in study.findings):
        return study.label
    return _("Repaired: {label}").format(label=study.label)


def _sentences(findings: Sequence[Finding]) -> set[str]:
    return {finding["sentence"] for finding in findings}
