"""React to the user in the list of results, without Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from MIMIRLib.analysis.scan_job import ScanOutcome
from MIMIRLib.errors import error_for_user
from MIMIRLib.notifier import Notifier
from MIMIRLib.presenter.finding_list import FindingList, Place
from MIMIRLib.presenter.protocols import ResultsView
from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.translate import tr as _


class ResultsPresenter:
    """The behaviour of the panel's results.

    Args:
        view: The widgets of the results, and Slicer's views.
        results: The scene's results.
        outcomes: What checks found, by the study's key; may grow.

    Attributes:
        said: Emits a sentence for the user.
    """

    def __init__(
        self, view: ResultsView, results: ResultBrowser, outcomes: Mapping[str, ScanOutcome]
    ) -> None:
        self.said = Notifier()
        self._view, self._results, self._outcomes = view, results, outcomes
        self._findings = FindingList()

    @property
    def count(self) -> int:
        """Number of results in the list."""
        return len(self._results.titles)

    def refresh(self) -> None:
        """List the scene's results again."""
        self._results.refresh()
        self._show()

    def add(self) -> None:
        """List a new result; what is shown stays."""
        self._results.refresh()
        self._view.show_titles(self._results.titles, self._results.selected)

    def select(self, key: str) -> None:
        """Show a study's results, or the cohort's."""
        self._results.select(key)
        self._show()

    def select_finding(self, key: str) -> None:
        """Describe a finding of the selected result, and show its place."""
        self._findings.select(key)
        self._view.findings.describe(self._findings.text, self._findings.picture)
        self.jump(self._findings.place)

    def jump(self, place: Optional[Place]) -> None:
        """Let the slice views show a place in a study; None leaves them as they are."""
        if place is not None:
            self._view.jump(self._results.nodes_of(place.key), place)

    def arrange_views(self) -> None:
        """Show the selected study's slices, chart and table in Slicer's views."""
        self._view.arrange_views(self._results.nodes)

    def show_profile(self) -> None:
        """Show the selected study's coronal view and profile side by side."""
        nodes = self._results.nodes
        if nodes is None or nodes.profile is None:
            self.said.emit(_("There is no profile. Select one study, or measure it again."))
        else:
            self._view.show_profile(nodes)

    def export(self, path: str) -> None:
        """Write the selected results to a CSV file."""
        if not path:
            return
        try:
            self.said.emit(self._results.export(path))
        except Exception as error:  # the panel shows every error
            self.said.emit(str(error_for_user(error)))

    def _show(self) -> None:
        self._view.show_titles(self._results.titles, self._results.selected)
        self._view.show_measurements(self._results.rows, self._results.flag_sentences)
        if self._findings.show(self._results.findings(self._outcomes)):
            self._view.findings.show(self._findings.rows)
