"""Use the panel as people do: ticks, clicks, and texts on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer

from MIMIRLib.scene.results import StudyNodes, find_results
from MIMIRLib.slicer_tests.phantom_database import (
    SceneTest,
    phantom_entry,
    scene_nodes,
    wait_until,
)


class PanelCase(SceneTest):
    """Each test starts with the phantom listed and nothing ticked."""

    def setUp(self) -> None:
        """Open the module."""
        super().setUp()
        self.module = slicer.util.getModuleWidget("MIMIR")
        if slicer.util.mainWindow() is not None:
            slicer.util.selectModule("MIMIR")
        self.module.enter()
        self.ui = self.module.view.ui
        wait_until(lambda: self.ui.studiesView.model().rowCount() == 1)
        self.ui.tickNoneButton.click()

    def measure(self) -> None:
        """Tick the phantom, press Apply and wait."""
        self.tick()
        self.ui.applyButton.click()
        assert self.ui.cancelButton.enabled, self.ui.statusLabel.text
        wait_until(lambda: not self.ui.cancelButton.enabled)

    def tick(self) -> None:
        """Tick the phantom."""
        model = self.ui.studiesView.model()
        model.setData(model.index(0, 0), qt.Qt.Checked, qt.Qt.CheckStateRole)
        assert self.ui.tickedLabel.text == "1 study is ticked."

    def tick_modules(self, ticked: bool) -> None:
        """Tick or untick all inference modules."""
        model = self.ui.modulesView.model()
        state = qt.Qt.Checked if ticked else qt.Qt.Unchecked
        for row in range(model.rowCount()):
            model.setData(model.index(row, 0), state, qt.Qt.CheckStateRole)

    def status(self) -> str:
        """Return the status of the phantom in the list."""
        return self.texts(self.ui.studiesView)[0][2]

    def nodes(self) -> StudyNodes:
        """Return the phantom's nodes."""
        found = find_results(slicer.mrmlScene, phantom_entry().study_uid)
        assert found is not None
        return found

    def texts(self, view: Any) -> list[list[str]]:
        """Return the texts of a table."""
        model = view.model()
        return [
            [model.data(model.index(row, column)) for column in range(model.columnCount())]
            for row in range(model.rowCount())
        ]


class PanelTest(PanelCase):
    """The panel on one study, the phantom."""

    def test_the_phantom_is_listed_as_complete(self) -> None:
        """The list shows date, status and stations; Apply is disabled."""
        _patient, date, status, stations, description = self.texts(self.ui.studiesView)[0]
        assert (date, stations) == ("2020-02-29", "6")
        # Another test may have ticked it.
        assert status in ("complete", "readable", "checked"), status
        assert description == "MIMIR phantom: synthetic, not a person"
        assert not self.ui.applyButton.enabled
        assert self.ui.tickedLabel.text == "No study is ticked."

    def test_texts_from_files_are_never_html(self) -> None:
        """Labels are plain text, tooltips escape it."""
        plain_text = 0  # Qt::PlainText
        for label in (self.ui.studyLabel, self.ui.moduleLabel, self.ui.statusLabel):
            assert label.textFormat == plain_text, label.objectName
        tooltip_role = 3  # Qt::ToolTipRole
        tooltip = self.ui.studiesView.model().index(0, 4).data(tooltip_role)
        assert tooltip == "<qt>MIMIR phantom: synthetic, not a person</qt>"

    def test_a_filter_hides_and_shows(self) -> None:
        """The filter finds words in any order."""
        self.ui.studyFilterEdit.text = "nobody"
        assert self.ui.studiesView.model().rowCount() == 0
        self.ui.studyFilterEdit.text = "synthetic 2020 phantom"
        assert self.ui.studiesView.model().rowCount() == 1
        self.ui.studyFilterEdit.text = ""

    def test_a_ticked_study_is_read_before_apply(self) -> None:
        """Status and the line below the list tell what was found; the tick stays."""
        self.tick()
        wait_until(lambda: self.status() == "checked")
        assert "Headers and images were checked: 6 stations." in self.ui.studyLabel.text
        assert not self.ui.findingsView.visible
        assert not self.ui.repairButton.visible
        assert self.ui.studyLabel.visible or slicer.util.mainWindow() is None
        assert self.ui.tickedLabel.text == "1 study is ticked."
        assert self.ui.applyButton.enabled

    def test_a_study_whose_files_are_gone_is_refused_before_apply(self) -> None:
        """The reason is in the list; when the files are back, Refresh reads them."""
        path = Path(slicer.dicomDatabase.filesForSeries(phantom_entry().series_uids[0])[0])
        moved = path.with_suffix(".moved")
        path.rename(moved)
        try:
            self.tick()
            self.ui.refreshButton.click()
            wait_until(lambda: self.status().startswith("refused: "))
            assert "FILES_GONE" in self.ui.studyLabel.text
            assert not self.ui.applyButton.enabled
        finally:
            moved.rename(path)
        self.ui.refreshButton.click()
        wait_until(lambda: self.status() == "checked")
        assert self.ui.applyButton.enabled

    def test_a_ticked_study_is_measured_and_shown(self) -> None:
        """Table, chart and volumes exist; the panel shows measurements and flags."""
        self.measure()
        nodes = self.nodes()
        made = "table", "chart", "projection", "water", "fat", "fraction", "profile", "regions"
        for name in made:
            assert getattr(nodes, name) is not None, name
        assert self.ui.statusLabel.text == "1 study measured."
        wait_until(lambda: self.ui.measurementsView.model().rowCount() > 11)
        names = [row[0] for row in self.texts(self.ui.measurementsView)]
        assert {"Liver fat", "Fat volume (direct)"} <= {*names}
        assert "demonstration" in self.ui.flagsLabel.text
        assert self.ui.logText.plainText
        if slicer.app.layoutManager() is not None:
            composite = slicer.util.getNode("vtkMRMLSliceCompositeNodeRed")
            assert composite.GetBackgroundVolumeID() == nodes.water.GetID()

    def test_without_an_inference_module_a_study_is_measured_directly(self) -> None:
        """Then the profile is shown beside the coronal view, with the parts of the body."""
        self.tick_modules(False)
        try:
            self.measure()
        finally:
            self.tick_modules(True)
        assert self.ui.statusLabel.text == "1 study measured."
        nodes = self.nodes()
        assert nodes.chart is None
        wait_until(lambda: self.ui.measurementsView.model().rowCount() > 11)
        labels = {row[0] for row in self.texts(self.ui.measurementsView)}
        assert labels >= {"Body volume (direct)", "Waist (direct)"}
        self.ui.profileButton.click()
        if slicer.app.layoutManager() is not None:
            plot = slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode()
            assert plot.GetPlotChartNodeID() == nodes.profile.GetID()
            assert nodes.regions.GetDisplayNode().GetVisibility()

    def test_running_again_replaces_its_own_nodes_and_nobody_elses(self) -> None:
        """A user's copy stays; old results are replaced."""
        self.measure()
        first = self.nodes()
        mine = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, first.water, "mine")
        before = scene_nodes()
        self.measure()
        status = "1 study is measured with these choices; Apply measures it again."
        assert self.ui.statusLabel.text == status
        assert self.nodes() == first
        self.measure()
        second = self.nodes()
        assert second.water is not first.water
        assert mine.GetScene() is slicer.mrmlScene
        assert len(scene_nodes()) == len(before)

    def test_cancel_ends_the_run_and_leaves_the_scene_alone(self) -> None:
        """The run ends immediately, and Apply is enabled again."""
        before = scene_nodes()
        self.tick()
        self.ui.applyButton.click()
        wait_until(lambda: self.ui.progressBar.value > 1)
        self.ui.cancelButton.click()
        assert self.ui.statusLabel.text == "Cancelled. The scene is unchanged."
        assert scene_nodes() == before
        assert self.ui.applyButton.enabled

    def test_closing_the_scene_ends_the_run(self) -> None:
        """The nodes would have no scene."""
        self.tick()
        self.ui.applyButton.click()
        slicer.app.processEvents()
        slicer.mrmlScene.Clear(False)
        assert not self.ui.cancelButton.enabled

    def test_options_are_kept_in_the_scenes_parameter_node(self) -> None:
        """Scripts can read them there."""
        self.ui.levelSpinBox.value = 90
        self.ui.volumesCheckBox.checked = False
        self.tick()
        parameters = self.module.logic.getParameterNode()
        assert parameters.level == 0.9
        assert self.ui.deviceComboBox.currentText == "Automatic"
        assert not parameters.volumes
        assert list(parameters.study_uids) == [phantom_entry().study_uid]
