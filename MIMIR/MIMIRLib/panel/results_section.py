"""Show a study's results in the panel and in Slicer's views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import qt
import slicer

from MIMIRLib.panel.findings_view import FindingsView
from MIMIRLib.panel.row_table import RowTable
from MIMIRLib.plain_text import plain
from MIMIRLib.presenter.chart_content import ChartContent
from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.presenter.result_browser import MEASUREMENT_COLUMNS
from MIMIRLib.presenter.results_presenter import ResultsPresenter
from MIMIRLib.presenter.table_row import Row, filter_pattern, keys_shown
from MIMIRLib.scene.results import StudyNodes
from MIMIRLib.translate import tr as _
from MIMIRLib.views.result_views import ResultViews


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
        self.views = ResultViews()
        self._rows: Sequence[Row] = ()

    def connect(self, presenter: ResultsPresenter) -> None:
        """Call the presenter when the user does something."""
        ui = self._ui
        self.findings.selected.connect(presenter.select_finding)
        for button, action in (
            (ui.showButton, presenter.arrange_views),
            (ui.profileButton, presenter.show_profile),
            (ui.exportButton, lambda: presenter.export(ask_csv())),
        ):
            button.connect("clicked()", action)
        ui.resultComboBox.connect(
            "activated(int)", lambda index: presenter.select(ui.resultComboBox.itemData(index))
        )
        ui.measurementFilterEdit.connect(
            "textChanged(QString)", lambda text: self._measurements.filter(filter_pattern(text))
        )
        ui.measurementFilterEdit.connect("textChanged(QString)", self._filter_chart)
        ui.fat3DCheckBox.connect("toggled(bool)", presenter.show_fat_in_3d)

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
        self._rows = rows
        self._filter_chart(self._ui.measurementFilterEdit.text)
        self._ui.flagsLabel.text = plain("\n".join(flags))
        self._ui.flagsLabel.visible = bool(flags)

    def show_chart(self, content: ChartContent) -> None:
        """Show a study's chart in place of any other's."""
        self.views.show_chart(content)

    def show_nodes(self, nodes: Optional[StudyNodes]) -> None:
        """Let Slicer's views show a result, or what there is of it; all others are emptied."""
        self.views.show(nodes)

    def leave_others(self, nodes: Optional[StudyNodes]) -> None:
        """Empty the views that show another result than this; what the user shows stays."""
        self.views.leave_others(nodes)

    def show_fat_in_3d(self, nodes: Optional[StudyNodes], is_on: bool) -> None:
        """Show a study's fat in 3D, or no fat."""
        self.views.show_fat_in_3d(nodes, is_on)

    def arrange_views(self, nodes: Optional[StudyNodes]) -> None:
        """Show a result in MIMIR's layout."""
        self.views.arrange(nodes)

    def show_profile(self, nodes: Optional[StudyNodes]) -> None:
        """Show a study's coronal view and its profile side by side."""
        self.views.show_profile(nodes)

    def jump(self, nodes: Optional[StudyNodes], place: Place) -> None:
        """Let the slice views show a place in a study's volumes."""
        self.views.jump(nodes, place)

    def close(self) -> None:
        """Stop observing Slicer's views."""
        self.views.close()

    def _filter_chart(self, text: str) -> None:
        """Let the chart show the rows that the table shows."""
        self.views.filter_chart(keys_shown(self._rows, text) if text.strip() else None)


def ask_csv() -> str:
    """Return the file that the user chooses to write; empty if the dialog is closed."""
    title, kinds = _("Write results to"), _("CSV files (*.csv)")
    path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, "MIMIR.csv", kinds)
    return path if not path or path.lower().endswith(".csv") else f"{path}.csv"
