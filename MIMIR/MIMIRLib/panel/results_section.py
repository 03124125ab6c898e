"""Show a study's results in the panel and in Slicer's views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import qt
import slicer

from MIMIRLib.panel.findings_view import FindingsView
from MIMIRLib.panel.result_views import ResultViews
from MIMIRLib.panel.row_table import RowTable
from MIMIRLib.plain_text import plain
from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.presenter.result_browser import MEASUREMENT_COLUMNS
from MIMIRLib.presenter.results_presenter import ResultsPresenter
from MIMIRLib.presenter.table_row import Row, filter_pattern
from MIMIRLib.scene.results import StudyNodes
from MIMIRLib.translate import tr as _


class ResultsSection:
    """Shows the results; see ``presenter.protocols.ResultsView``.

    Args:
        ui: The widgets of ``MIMIR.ui``, by name.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._measurements = RowTable(ui.measurementsView, MEASUREMENT_COLUMNS)
        self.findings = FindingsView(
            ui.resultFindingsView, ui.resultFindingLabel, ui.resultPictureLabel
        )
        self._views = ResultViews()

    def connect(self, presenter: ResultsPresenter) -> None:
        """Call the presenter when the user does something."""
        ui = self._ui
        self.findings.selected.connect(presenter.select_finding)
        for button, action in (
            (ui.showButton, presenter.arrange_views),
            (ui.profileButton, presenter.show_profile),
            (ui.exportButton, lambda: presenter.export(ask_csv())),
            (ui.reportButton, lambda: presenter.write_report(ask_report)),
        ):
            button.connect("clicked()", action)
        ui.resultComboBox.connect(
            "activated(int)", lambda index: presenter.select(ui.resultComboBox.itemData(index))
        )
        ui.measurementFilterEdit.connect(
            "textChanged(QString)", lambda text: self._measurements.filter(filter_pattern(text))
        )

    def show_titles(self, titles: Sequence[tuple[str, str]], selected: str) -> None:
        """Fill the list of results: key and title of each."""
        combo = self._ui.resultComboBox
        combo.clear()
        for key, title in titles:
            combo.addItem(plain(title), key)
        combo.setCurrentIndex(combo.findData(selected))

    def show_measurements(self, rows: Sequence[Row], flags: Sequence[str]) -> None:
        """Fill the table of measurements, and explain its flags."""
        self._measurements.show(rows)
        self._ui.flagsLabel.text = plain("\n".join(flags))
        self._ui.flagsLabel.visible = bool(flags)

    def open_file(self, path: str) -> None:
        """Show a file in the program that the computer has for it; not in tests."""
        if not slicer.app.testingEnabled():
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(path))

    def arrange_views(self, nodes: Optional[StudyNodes]) -> None:
        """Show a study's slices, chart and table in Slicer's views."""
        self._views.arrange(nodes)

    def show_profile(self, nodes: Optional[StudyNodes]) -> None:
        """Show a study's coronal view and its profile side by side."""
        self._views.show_profile(nodes)

    def jump(self, nodes: Optional[StudyNodes], place: Place) -> None:
        """Let the slice views show a place in a study's volumes."""
        self._views.jump(nodes, place)

    def close(self) -> None:
        """Stop observing Slicer's views."""
        self._views.close()


def ask_csv() -> str:
    """Return the file that the user chooses to write; empty if the dialog is closed."""
    title, kinds = _("Write results to"), _("CSV files (*.csv)")
    path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, "MIMIR.csv", kinds)
    return path if not path or path.lower().endswith(".csv") else f"{path}.csv"


def ask_report(name: str) -> str:
    """Return the file that the user chooses for a report; empty if the dialog is closed.

    Args:
        name: The suggested file.
    """
    title, kinds = _("Write the report to (.html or .pdf)"), _("Reports (*.html *.pdf)")
    path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, name, kinds)
    return path if not path or path.lower().endswith((".html", ".pdf")) else f"{path}.html"
