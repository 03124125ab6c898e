"""React to the user in the list of results, without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable, Optional

from MIMIRLib.analysis.scan_job import ScanOutcome
from MIMIRLib.errors import error_for_user
from MIMIRLib.notifier import Notifier
from MIMIRLib.presenter.chart_content import chart_content
from MIMIRLib.presenter.finding_list import FindingList, Place
from MIMIRLib.presenter.protocols import ResultsView
from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.scene.file_stem import file_stem
from MIMIRLib.scene.report import write_study_report
from MIMIRLib.translate import tr as _


class ResultsPresenter:
    """The behaviour of the panel's results.

    Args:
        view: The widgets of the results, and Slicer's views.
        results: The scene's results.
        outcomes: What checks found, by the study's key; may grow.
        install_for_pdf: Installs what PDF files need; raises if it is still missing.

    Attributes:
        said: Emits a sentence for the user.
        shown_changed: Emits `shown_measurements` when they or the selected study have changed.
    """

    def __init__(
        self,
        view: ResultsView,
        results: ResultBrowser,
        outcomes: Mapping[str, ScanOutcome],
        install_for_pdf: Callable[[], None],
    ) -> None:
        self.said, self.shown_changed = Notifier(), Notifier()
        self._is_open, self._waiting = True, ""
        self._view, self._results, self._outcomes = view, results, outcomes
        self._findings = FindingList()
        self._install_for_pdf = install_for_pdf

    @property
    def count(self) -> int:
        """Number of results in the list."""
        return len(self._results.titles)

    @property
    def shown_measurements(self) -> list[str]:
        """Names of the selected study's measurements that search, group and ticks leave."""
        return self._results.shown_names

    @property
    def file_name(self) -> str:
        """The name suggested for the file of the selected results."""
        return self._results.file_name

    def enter(self) -> None:
        """Note that the user has opened the panel; show what was measured in the meantime."""
        self._is_open = True
        if self._waiting:
            self.select(self._waiting)

    def leave(self) -> None:
        """Note that the user has left the panel: the views are another module's."""
        self._is_open = False

    def refresh(self) -> None:
        """List the scene's results again; views of a result that is gone are emptied."""
        before = self._results.selected
        self._results.refresh()
        self._show()
        if self._results.selected != before:
            self._view.leave_others(self._results.nodes)

    def add(self) -> None:
        """List a new result; what is shown stays."""
        self._results.refresh()
        self._view.show_titles(self._results.titles, self._results.selected)

    def select(self, key: str) -> None:
        """Show a study's results, or the cohort's, in the panel and in Slicer's views."""
        self._waiting = ""
        self._results.select(key)
        self._show()
        self._view.show_nodes(self._results.nodes)

    def show_new(self, key: str) -> None:
        """Show a study that was just measured; in another module, when the user comes back."""
        self.refresh()
        if self._is_open:
            self.select(key)
        else:
            self._waiting = key

    def search(self, text: str) -> None:
        """Show only the measurements, or the studies of the cohort, with all words of a text."""
        self._results.choice.search(text)
        self._view.filter_measurements(self._results.choice.pattern)
        self.shown_changed.emit(self.shown_measurements)

    def choose_group(self, group: str) -> None:
        """Show only the measurements of a group; all if it is empty."""
        self._results.choice.group = group
        self._show_measurements()

    def tick_measurements(self, names: Sequence[str], ticked: bool) -> None:
        """Show measurements in the chart, or not."""
        self._results.choice.tick(names, ticked)
        self.shown_changed.emit(self.shown_measurements)

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
        """Show the selected result in MIMIR's layout."""
        self._view.arrange_views(self._results.nodes)

    def show_profile(self) -> None:
        """Show the selected study's coronal view and profile side by side."""
        nodes = self._results.nodes
        if nodes is None or nodes.profile is None:
            self.said.emit(_("There is no profile. Select one study, or measure it again."))
        else:
            self._view.show_profile(nodes)

    def show_fat_in_3d(self, is_on: bool) -> None:
        """Show the selected study's fat in 3D, or no fat."""
        nodes = self._results.nodes
        if is_on and (nodes is None or nodes.fat is None):
            self.said.emit(_("There are no volumes. Select one study, or measure it with volumes."))
        self._view.show_fat_in_3d(nodes, is_on)

    def export(self, path: str) -> None:
        """Write the selected results to a CSV file."""
        if not path:
            return
        try:
            self.said.emit(self._results.export(path))
        except Exception as error:  # the panel shows every error
            self.said.emit(str(error_for_user(error)))

    def write_report(self, ask: Callable[[str], str]) -> None:
        """Write the report on the selected study, and open it.

        Args:
            ask: Returns the file that the user chooses, given a suggestion; empty if none. One that
                ends in ``.pdf`` is a PDF file, any other an HTML page.
        """
        nodes = self._results.nodes
        if nodes is None or self._results.is_cohort:
            self.said.emit(_("Select one study to write its report."))
            return
        path = ask(f"{file_stem(nodes.label)}.html")
        if not path:
            return
        try:
            if path.lower().endswith(".pdf"):
                self._install_for_pdf()
            write_study_report(path, nodes)
            self.said.emit(_("Report written to {name}.").format(name=Path(path).name))
            self._view.open_file(path)
        except Exception as error:  # the panel shows every error
            self.said.emit(str(error_for_user(error)))

    def _show(self) -> None:
        self._view.show_titles(self._results.titles, self._results.selected)
        self._view.show_chart(chart_content(self._results.nodes))
        self._show_measurements()
        if self._findings.show(self._results.findings(self._outcomes)):
            self._view.findings.show(self._findings.rows)

    def _show_measurements(self) -> None:
        results = self._results
        self._view.show_groups(results.groups, results.group)
        self._view.show_measurements(results.columns, results.rows, results.flag_sentences)
        self.shown_changed.emit(self.shown_measurements)
