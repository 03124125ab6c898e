"""What the presenter meets: the panel's widgets, the user's choices, and those who do the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Protocol

from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.workflow import Workflow
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.rows import Row
from MIMIRLib.signal import Signal


class Parameters(Protocol):
    """The user's choices, kept in the scene; see ``parameter_node``."""

    study_uids: list[str]
    module_names: list[str]
    level: float
    device: str
    volumes: bool
    allow_unvalidated: bool


class View(Protocol):
    """The panel's widgets."""

    def show_state(self, state: PanelState) -> None:
        """Enable, disable and label."""

    def show_studies(self, rows: Sequence[Row]) -> None:
        """Fill the list of studies."""

    def filter_studies(self, pattern: str) -> None:
        """Leave only the studies that a regular expression finds."""

    def show_modules(self, rows: Sequence[Row]) -> None:
        """Fill the list of inference modules."""

    def show_module(self, text: str) -> None:
        """Describe the inference module that is selected."""

    def show_options(self, parameters: Parameters) -> None:
        """Set the options' widgets."""

    def show_results(self, titles: Sequence[tuple[str, str]], selected: str) -> None:
        """Fill the choice of results: key and title of each."""

    def show_measurements(self, rows: Sequence[Row], flags: Sequence[str]) -> None:
        """Fill the table of measurements, and say what its flags mean."""

    def show_failures(self, rows: Sequence[Row]) -> None:
        """Fill the list of studies that could not be measured."""

    def show_log_line(self, line: str) -> None:
        """Add a line to the log."""

    def arrange_views(self, nodes: Any) -> None:
        """Show a study's slices, chart and table in Slicer's views."""


class JobProgress(Protocol):
    """How far a job is.

    Attributes:
        fraction: 0 to 1; None where nobody knows.
        sentence: The same for people.
    """

    fraction: Optional[float]
    sentence: str


class Job(Protocol):
    """Something that takes time.

    Attributes:
        progressed: Emits each ``JobProgress``.
        ended: Is emitted once, with whatever.
    """

    progressed: Signal
    ended: Signal

    @property
    def summary(self) -> str:
        """What came of it, in a sentence, once it has ended."""

    def start(self) -> None:
        """Begin."""

    def step(self) -> None:
        """Go on a little."""

    def cancel(self) -> None:
        """End it at once."""


class Services(Protocol):
    """What the panel needs of the rest of the module."""

    def studies(self) -> Sequence[StudyEntry]:
        """Dixon studies of the DICOM database."""

    def requirements(self) -> Optional[str]:
        """Get what is missing, after a question; if it is still missing, how to go on."""

    def measure(self, request: AnalysisRequest, entries: Sequence[StudyEntry]) -> Workflow:
        """A workflow, not begun, that measures studies of the database as the request says."""

    def take_in(self, paths: Sequence[str]) -> Job:
        """A job that imports folders or zip archives into the DICOM database."""
