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
from MIMIRLib.presenter.results_presenter import ResultsPresenter
from MIMIRLib.presenter.table_row import Row, TableColumn
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
        self._measurements = RowTable(ui.measurementsView, (), "Measurements")
        self.findings = FindingsView(
            ui.resultFindingsView, ui.resultFindingLabel, ui.resultPictureLabel
        )
        self.views = ResultViews()

    def connect(self, presenter: ResultsPresenter) -> None:
        """Call the presenter when the user does something."""
        ui = self._ui
        self.findings.selected.connect(presenter.select_finding)
        for button, action in (
            (ui.showButton, presenter.arrange_views),
            (ui.profileButton, presenter.show_profile),
            (ui.exportButton, lambda: presenter.export(ask_csv(presenter.file_name))),
            (ui.reportButton, lambda: presenter.write_report(ask_report)),
        ):
            button.connect("clicked()", action)
        ui.resultComboBox.connect(
            "activated(int)", lambda index: presenter.select(ui.resultComboBox.itemData(index))
        )
        ui.measurementGroupComboBox.connect(
            "activated(int)",
            lambda index: presenter.choose_group(ui.measurementGroupComboBox.itemData(index)),
        )
        ui.fat3DCheckBox.connect("toggled(bool)", presenter.show_fat_in_3d)
        ui.measurementFilterEdit.connect("textChanged(QString)", presenter.search)
        self._measurements.ticked.connect(presenter.tick_measurements)
        presenter.shown_changed.connect(self.views.filter_chart)

    def show_titles(self, titles: Sequence[tuple[str, str]], selected: str) -> None:
        """Fill the list of results: key and title of each."""
        _fill(self._ui.resultComboBox, titles, selected)

    def show_groups(self, groups: Sequence[str], selected: str) -> None:
        """Fill the list of groups of measurements; an empty one stands for all."""
        choices = [("", _("All groups")), *((group, _(group)) for group in groups)]
        _fill(self._ui.measurementGroupComboBox, choices, selected)

    def filter_measurements(self, pattern: str) -> None:
        """Show only rows of the table that match a regular expression."""
        self._measurements.filter(pattern)

    def show_measurements(
        self, columns: Sequence[TableColumn], rows: Sequence[Row], flags: Sequence[str]
    ) -> None:
        """Fill the table of measurements, or of the cohort, and explain its flags."""
        self._measurements.show(rows, columns)
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

    def open_file(self, path: str) -> None:
        """Show a file in the program that the computer has for it; not in tests."""
        if not slicer.app.testingEnabled():
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(path))

    def jump(self, nodes: Optional[StudyNodes], place: Place) -> None:
        """Let the slice views show a place in a study's volumes."""
        self.views.jump(nodes, place)

    def close(self) -> None:
        """Stop observing Slicer's views."""
        self.views.close()


def ask_csv(name: str) -> str:
    """Return the file that the user chooses to write; empty if the dialog is closed.

    Args:
        name: The name suggested.
    """
    return _ask(_("Write results to"), name, _("CSV files (*.csv)"), "csv")


def ask_report(name: str) -> str:
    """Return the file that the user chooses for a report; empty if the dialog is closed.

    Args:
        name: The name suggested.
    """
    title = _("Write the report to (.html or .pdf)")
    return _ask(title, name, _("Reports (*.html *.pdf)"), "html")


def _ask(title: str, name: str, kinds: str, suffix: str) -> str:
    dialog = qt.QFileDialog(slicer.util.mainWindow(), title, "", kinds)
    dialog.acceptMode = qt.QFileDialog.AcceptSave
    dialog.defaultSuffix = suffix  # so that the dialog asks before it overwrites such a file, too
    dialog.selectFile(name)
    return dialog.selectedFiles()[0] if dialog.exec_() else ""


def _fill(combo: Any, choices: Sequence[tuple[str, str]], selected: str) -> None:
    """Fill a combo box with data and text of each choice."""
    combo.clear()
    for data, text in choices:
        combo.addItem(plain(text), data)
    combo.setCurrentIndex(combo.findData(selected))
