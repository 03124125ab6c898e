"""Show the presenter's state in the panel's widgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import qt
import slicer

from MIMIRLib.interval_level import MAX_LEVEL, MIN_LEVEL
from MIMIRLib.panel.findings_view import FindingsView
from MIMIRLib.panel.keyboard import EnterTicks, apply_by_control_enter, press_by_enter
from MIMIRLib.panel.label import prepare_labels, show_text
from MIMIRLib.panel.panel_height import PanelHeight
from MIMIRLib.panel.results_section import ResultsSection
from MIMIRLib.panel.row_table import RowTable
from MIMIRLib.panel.section_memory import remember_sections
from MIMIRLib.parameter_node import DEVICES, RUNTIMES, MIMIRParameterNode
from MIMIRLib.plain_text import plain, plain_tooltip
from MIMIRLib.presenter.module_picker import MODULE_COLUMNS
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.presenter import Presenter
from MIMIRLib.presenter.study_picker import STUDY_COLUMNS
from MIMIRLib.translate import tr as _

#: Time between the steps of a job that waits for the engine (milliseconds).
STEP_MS = 50


class PanelView:
    """Shows the panel's state; see ``presenter.protocols.View``.

    Args:
        panel: The widget of ``MIMIR.ui``.

    Attributes:
        selectors: What chooses each node of ``MIMIRParameterNode``, by its name there.
    """

    def __init__(self, panel: Any) -> None:
        self.ui = slicer.util.childWidgetVariables(panel)
        self.studies = RowTable(self.ui.studiesView, STUDY_COLUMNS)
        self.modules = RowTable(self.ui.modulesView, MODULE_COLUMNS)
        ui = self.ui
        prepare_labels(panel)
        self._enter_ticks = [EnterTicks(view) for view in (ui.studiesView, ui.modulesView)]
        press_by_enter(panel)
        apply_by_control_enter(panel, ui.applyButton)
        sections = (ui.studiesSection, ui.sceneSection, ui.modulesSection, ui.optionsSection)
        remember_sections((*sections, ui.logSection))
        ui.moduleMoreButton.connect("toggled(bool)", ui.moduleDetailsLabel.setVisible)
        self.findings = FindingsView(ui.findingsView, ui.findingLabel, ui.pictureLabel)
        self.results = ResultsSection(ui)
        self._height = PanelHeight(panel)
        self.selectors = {
            "water": ui.waterSelector,
            "fat": ui.fatSelector,
            "in_phase": ui.inPhaseSelector,
            "opposed_phase": ui.opposedPhaseSelector,
            "segmentation": ui.segmentationSelector,
        }
        self._timer = qt.QTimer()
        self._timer.setInterval(STEP_MS)
        self.ui.levelSpinBox.setRange(100 * MIN_LEVEL, 100 * MAX_LEVEL)
        for device, label in DEVICES.items():
            self.ui.deviceComboBox.addItem(label, device)
        for runtime, label in RUNTIMES.items():
            self.ui.runtimeComboBox.addItem(label, runtime)

    def connect(self, presenter: Presenter) -> None:
        """Call the presenter when the user does something."""
        self._timer.connect("timeout()", lambda: self._step(presenter))
        self.studies.ticked.connect(presenter.tick_studies)
        self.studies.selected.connect(presenter.select_study)
        self.findings.selected.connect(presenter.select_finding)
        self.modules.ticked.connect(presenter.tick_modules)
        self.modules.selected.connect(presenter.select_module)
        ui = self.ui
        ui.studyFilterEdit.connect("textChanged(QString)", presenter.filter_studies)
        for button, action in (
            (ui.tickShownButton, presenter.tick_shown_studies),
            (ui.tickNoneButton, presenter.tick_no_study),
            (ui.importFolderButton, lambda: presenter.import_studies(ask_folder())),
            (ui.importZipsButton, lambda: presenter.import_studies(ask_zips())),
            (ui.createDatabaseButton, presenter.create_database),
            (ui.tryButton, presenter.try_it),
            (ui.refreshButton, presenter.read_again),
            (ui.addModuleZipButton, lambda: presenter.add_module(ask_zip())),
            (ui.addModuleFolderButton, lambda: presenter.add_module("".join(ask_folder()))),
            (ui.removeModuleButton, presenter.remove_module),
            (ui.verifyModuleButton, presenter.verify_module),
            (ui.applyButton, presenter.apply),
            (ui.repairButton, presenter.repair),
            (ui.cancelButton, presenter.cancel),
            (ui.resumeButton, presenter.resume),
            (ui.discardButton, presenter.discard),
        ):
            button.connect("clicked()", action)
        self._connect_options(presenter)
        self.results.connect(presenter.results)

    def show_state(self, state: PanelState) -> None:
        """Enable, disable and label."""
        ui = self.ui
        show_text(ui.emptyLabel, state.empty_sentence)
        ui.studiesView.visible = not state.empty_sentence
        ui.createDatabaseButton.visible = state.offers_database
        if state.offers_database:
            ui.createDatabaseButton.toolTip = plain_tooltip(state.new_database)
        ui.tryButton.visible = state.offers_trial
        ui.tickedLabel.text = state.ticked_sentence
        show_text(ui.studyLabel, state.study_lines)
        show_text(ui.warningsLabel, "\n".join(state.warnings))
        for widget in (
            *(ui.studiesView, ui.tickShownButton, ui.tickNoneButton),
            *(ui.importFolderButton, ui.importZipsButton, ui.refreshButton),
            *(ui.createDatabaseButton, ui.tryButton),
            *(ui.modulesView, ui.addModuleZipButton, ui.addModuleFolderButton),
            *(ui.sceneSection, ui.optionsSection),
        ):
            widget.enabled = not state.is_busy
        show_text(ui.moduleLabel, state.module_title)
        show_text(ui.moduleDetailsLabel, state.module_details)
        ui.moduleMoreButton.visible = bool(state.module_details)
        ui.moduleDetailsLabel.visible = ui.moduleMoreButton.checked and bool(state.module_details)
        ui.verifyModuleButton.enabled = state.can_verify_module
        ui.removeModuleButton.enabled = state.can_remove_module
        ui.applyButton.enabled = state.can_apply
        ui.applyButton.toolTip = plain_tooltip(state.apply_hint)
        ui.repairButton.enabled = state.can_repair
        show_text(ui.repairButton, state.repair_text)
        ui.cancelButton.enabled = state.is_busy
        show_text(ui.resumeLabel, state.resume_text)
        ui.resumeButton.visible = ui.discardButton.visible = bool(state.resume_text)
        self._show_progress(state)
        self._show_results_section(state.results > 0)

    def show_options(self, parameters: MIMIRParameterNode) -> None:
        """Set the options' widgets."""
        ui = self.ui
        ui.levelSpinBox.value = 100 * parameters.level
        ui.deviceComboBox.setCurrentIndex(ui.deviceComboBox.findData(parameters.device))
        ui.runtimeComboBox.setCurrentIndex(ui.runtimeComboBox.findData(parameters.runtime))
        ui.volumesCheckBox.checked = parameters.volumes
        ui.unvalidatedCheckBox.checked = parameters.allow_unvalidated
        for name, selector in self.selectors.items():
            selector.setCurrentNode(getattr(parameters, name))

    def show_failures(self, sentences: Sequence[str]) -> None:
        """List the studies that could not be measured; hide an empty list."""
        self.ui.failuresText.plainText = "\n\n".join(map(plain, sentences))
        self.ui.failuresSection.visible = bool(sentences)

    def show_log_line(self, line: str) -> None:
        """Add a line to the log."""
        self.ui.logText.appendPlainText(plain(line))

    def close(self) -> None:
        """Stop the timer, and stop observing Slicer's views."""
        self._timer.stop()
        self._height.close()
        self.results.close()

    def _step(self, presenter: Presenter) -> None:
        """Do a step; the next one follows at once if there is more to do."""
        presenter.step()
        interval = STEP_MS if presenter.is_waiting else 0
        if self._timer.interval != interval:
            self._timer.setInterval(interval)

    def _show_progress(self, state: PanelState) -> None:
        bar = self.ui.progressBar
        bar.visible = state.percent is not None
        if state.percent is not None:
            bar.maximum = 0 if state.percent < 0 else 100  # a bar without maximum shows "busy"
            bar.value = max(state.percent, 0)
        show_text(self.ui.statusLabel, state.status)
        if state.needs_steps != self._timer.active:
            (self._timer.start if state.needs_steps else self._timer.stop)()

    def _show_results_section(self, has_results: bool) -> None:
        """Show the results' section; scroll to it when it appears."""
        section = self.ui.resultsSection
        is_new = has_results and section.isHidden()
        section.visible = has_results
        if is_new:
            qt.QTimer.singleShot(0, lambda: self.ui.sectionsArea.ensureWidgetVisible(section))

    def _connect_options(self, presenter: Presenter) -> None:
        """Let the options' widgets set the scene's parameters.

        Not with ``connectGui``: in Slicer 5.6 to 5.10 its observer stays on the parameter node.
        After the wrapper is deleted, closing the scene then can crash Slicer.
        """
        ui = self.ui
        for name, selector in self.selectors.items():
            selector.connect(
                "currentNodeChanged(vtkMRMLNode*)", partial(presenter.choose_node, name)
            )
        ui.levelSpinBox.connect(
            "valueChanged(double)",
            lambda percent: presenter.set_option("level", round(percent / 100, 4)),
        )
        ui.deviceComboBox.connect(
            "activated(int)",
            lambda index: presenter.set_option("device", ui.deviceComboBox.itemData(index)),
        )
        ui.runtimeComboBox.connect(
            "activated(int)",
            lambda index: presenter.set_option("runtime", ui.runtimeComboBox.itemData(index)),
        )
        ui.volumesCheckBox.connect("toggled(bool)", lambda on: presenter.set_option("volumes", on))
        ui.unvalidatedCheckBox.connect(
            "toggled(bool)", lambda on: presenter.set_option("allow_unvalidated", on)
        )


def ask_folder() -> list[str]:
    """Return the folder that the user chooses; none if the dialog is closed."""
    folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Choose a folder"))
    return [folder] if folder else []


def ask_zips() -> list[str]:
    """Return the zip archives that the user chooses."""
    title, kinds = _("Choose zip archives"), _("Zip archives (*.zip)")
    return list(qt.QFileDialog.getOpenFileNames(slicer.util.mainWindow(), title, "", kinds))


def ask_zip() -> str:
    """Return the zip archive that the user chooses; empty if the dialog is closed."""
    title, kinds = _("Choose a zip archive"), _("Zip archives (*.zip)")
    return qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, "", kinds)
