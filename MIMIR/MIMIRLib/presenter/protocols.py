"""The interfaces that the presenter uses: the panel's widgets and the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Protocol

from MIMIRLib.analysis.check_job import CheckJob
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.scene_studies import Chosen
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.job import Job
from MIMIRLib.presenter.chart_content import ChartContent
from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.table_row import Row, TableColumn

if TYPE_CHECKING:
    from MIMIRLib.parameter_node import MIMIRParameterNode


class Table(Protocol):
    """A table that can be filtered."""

    def show(self, rows: Sequence[Row]) -> None:
        """Replace all rows by these."""

    def update(self, row: Row) -> None:
        """Replace the row with the same key; its tick stays."""

    def select(self, key: str) -> None:
        """Make the row with that key the current one."""

    def filter(self, pattern: str) -> None:
        """Show only rows that match a regular expression."""


class Findings(Protocol):
    """A list of findings, and the selected one."""

    def show(self, rows: Sequence[Row]) -> None:
        """Replace all rows by these, and describe none."""

    def describe(self, text: str, picture: bytes) -> None:
        """Show the text of a finding, and a picture in PNG format."""


class ResultsView(Protocol):
    """The widgets of the results, and Slicer's views.

    Attributes:
        findings: The findings of the selected result.
    """

    findings: Findings

    def show_titles(self, titles: Sequence[tuple[str, str]], selected: str) -> None:
        """Fill the list of results: key and title of each."""

    def show_groups(self, groups: Sequence[str], selected: str) -> None:
        """Fill the list of groups of measurements; an empty one stands for all."""

    def show_measurements(
        self, columns: Sequence[TableColumn], rows: Sequence[Row], flags: Sequence[str]
    ) -> None:
        """Fill the table of measurements, or of the cohort, and explain its flags."""

    def filter_measurements(self, pattern: str) -> None:
        """Show only rows of that table that match a regular expression."""

    def show_chart(self, content: ChartContent) -> None:
        """Show a study's chart in place of any other's."""

    def show_nodes(self, nodes: Any) -> None:
        """Let Slicer's views show a result, or what there is of it; all others are emptied."""

    def leave_others(self, nodes: Any) -> None:
        """Empty the views that show another result than this; what the user shows stays."""

    def arrange_views(self, nodes: Any) -> None:
        """Show a result in MIMIR's layout."""

    def show_fat_in_3d(self, nodes: Any, is_on: bool) -> None:
        """Show a study's fat in 3D, or no fat."""

    def show_profile(self, nodes: Any) -> None:
        """Show a study's coronal view and its profile side by side."""

    def open_file(self, path: str) -> None:
        """Show a file in the program that the computer has for it."""

    def jump(self, nodes: Any, place: Place) -> None:
        """Let the slice views show a place in a study's volumes."""


class View(Protocol):
    """The panel's widgets.

    Attributes:
        studies: The list of studies.
        findings: The findings of the selected study.
        modules: The list of inference modules.
        results: The widgets of the results.
    """

    studies: Table
    findings: Findings
    modules: Table
    results: ResultsView

    def show_state(self, state: PanelState) -> None:
        """Enable, disable and label."""

    def show_options(self, parameters: MIMIRParameterNode) -> None:
        """Set the options' widgets."""

    def show_failures(self, sentences: Sequence[str]) -> None:
        """List the studies that could not be measured."""

    def show_log_line(self, line: str) -> None:
        """Add a line to the log."""


class Services(Protocol):
    """The services of the rest of the module."""

    def new_database_folder(self) -> str:
        """Return where a DICOM database would be made; empty while one is open."""

    def create_database(self) -> None:
        """Make a DICOM database without a question, unless one is open."""

    def need_database(self) -> None:
        """Make a DICOM database if none is open and the user agrees; raises if there is none."""

    def phantom_job(self) -> Job:
        """Return a job that makes the phantom study and imports it into the database."""

    def phantom_uid(self) -> str:
        """Return the UID of the phantom study, once it is made."""

    def ask(self, question: str) -> bool:
        """Return whether the user agrees."""

    def studies(self) -> Sequence[StudyEntry]:
        """Return the Dixon studies of the DICOM database."""

    def lacks_packages(self, runtime: str) -> bool:
        """Return whether packages that a runtime for networks needs are missing."""

    def install_job(self, runtime: str = "auto") -> Job:
        """Return a job that installs the missing packages of a runtime if the user agrees."""

    def install_for_pdf(self) -> None:
        """Install what PDF files need if the user agrees; raises if it is still missing."""

    def scan_job(self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]) -> ScanJob:
        """Return a job that reads the headers of studies of the database."""

    def check_job(
        self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]
    ) -> CheckJob:
        """Return a job that checks the images of studies of the database."""

    def measure_job(
        self, request: AnalysisRequest, studies: Sequence[Chosen], segmentation: Optional[Any]
    ) -> MeasureJob:
        """Return a job that measures studies of the database and of the scene.

        Args:
            request: Inference modules and options.
            studies: Entries or UIDs of the database, or volumes of the scene.
            segmentation: Node with labels of the one study; None without one.
        """

    def runs_folder(self) -> Path:
        """Return the folder in which runs survive a crash of Slicer."""

    def import_job(self, paths: Sequence[str]) -> Job:
        """Return a job that imports folders or zip archives into the DICOM database."""
