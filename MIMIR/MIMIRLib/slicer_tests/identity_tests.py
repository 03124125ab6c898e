"""Results say whose they are, keep to the patient, and go with the patient."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import slicer

from MIMIRLib.scene.index import all_indices, label_of
from MIMIRLib.scene.results import find_results
from MIMIRLib.scene.subject_hierarchy import hierarchy_of
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import PHANTOM, phantom_entry, wait_until

#: The panel follows the scene while it is open.
needs_window = unittest.skipIf(slicer.util.mainWindow() is None, "the panel is never open")


class IdentityTest(PanelCase):
    """The phantom's name and ID on the screen, and nowhere else."""

    def test_results_carry_the_patient_and_the_log_does_not(self) -> None:
        """Chooser, nodes, chart and folder name the patient; the logs and the status do not."""
        slicer_log = Path(slicer.app.errorLogModel().filePath)
        before = len(slicer_log.read_bytes())
        self.measure()
        logged = slicer_log.read_bytes()[before:].decode("utf-8", "replace")
        entry, label = phantom_entry(), label_of(slicer.mrmlScene, phantom_entry().study_uid)
        assert label.endswith(f", {entry.study_date}, {entry.study_description}"), label
        assert label.startswith((entry.patient_name or entry.patient_id)[:4]), label
        nodes = self.nodes()
        assert nodes.table.GetName() == f"Measurements - {label}"
        assert nodes.chart.GetTitle() == f"{label} (demonstration)"
        assert self.ui.resultComboBox.currentText == label
        hierarchy = hierarchy_of(slicer.mrmlScene)
        folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes.table))
        assert hierarchy.GetItemName(folder) == f"MIMIR - {label}"
        for text in (logged, self.ui.logText.plainText, self.ui.statusLabel.text):
            for name in filter(None, (entry.patient_name, entry.patient_id)):
                assert name not in text, name

    @needs_window
    def test_a_deleted_patient_takes_all_results_along(self) -> None:
        """As with "Delete" in the module Data: nothing hidden stays, and the list is empty."""
        self.measure()
        assert self.ui.resultComboBox.count == 1
        hierarchy = hierarchy_of(slicer.mrmlScene)
        item = hierarchy.GetItemByDataNode(self.nodes().table)
        while hierarchy.GetItemLevel(item) != "Patient":
            item = hierarchy.GetItemParent(item)
        hierarchy.RemoveItem(item, True, True)
        wait_until(lambda: self.ui.resultComboBox.count == 0)
        assert not list(all_indices(slicer.mrmlScene))
        assert not slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")

    @needs_window
    def test_the_console_and_the_scene_change_the_list_of_results(self) -> None:
        """Results of the console appear; a deleted table leaves; closing empties all."""
        key = phantom_entry().study_uid
        self.module.logic.analyzeStudy(key, **{**PHANTOM, "volumes": False})
        wait_until(lambda: self.ui.resultComboBox.count == 1)
        slicer.mrmlScene.RemoveNode(find_results(slicer.mrmlScene, key).table)
        wait_until(lambda: self.ui.resultComboBox.count == 0)
        self.measure()
        said = self.ui.statusLabel.text
        slicer.mrmlScene.Clear(False)
        assert self.ui.statusLabel.text != said
        assert self.ui.resultComboBox.count == 0

    def test_measuring_again_keeps_what_the_user_set(self) -> None:
        """A transform, a name, a window and the visibility of the parts of the body."""
        self.measure()
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        first = self.nodes()
        first.water.SetName("mine")
        first.water.SetAndObserveTransformNodeID(transform.GetID())
        first.fat.GetDisplayNode().SetWindowLevelMinMax(12.0, 345.0)
        first.regions.GetDisplayNode().SetOpacity2DFill(0.9)
        self.measure()  # says that nothing is left to measure
        self.measure()
        again = self.nodes()
        assert again.water is not first.water
        assert again.water.GetName() == "mine"
        assert again.water.GetParentTransformNode() is transform
        assert again.fat.GetDisplayNode().GetWindowLevelMax() == 345.0
        assert abs(again.regions.GetDisplayNode().GetOpacity2DFill() - 0.9) < 1e-6

    @needs_window
    def test_a_chart_has_all_its_lines_after_loading(self) -> None:
        """The view that shows it would take the first one off; the panel lists the result."""
        key = phantom_entry().study_uid
        self.module.logic.analyzeStudy(key, **{**PHANTOM, "volumes": False})
        chart = find_results(slicer.mrmlScene, key).chart
        slicer.app.applicationLogic().GetSelectionNode().SetReferenceActivePlotChartID(
            chart.GetID()
        )
        manager = slicer.app.layoutManager()
        if manager is not None:
            manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
            manager.plotWidget(0).mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
        slicer.app.processEvents()
        with tempfile.TemporaryDirectory() as folder:
            path = (Path(folder) / "scene.mrb").as_posix()
            assert slicer.util.saveScene(path)
            slicer.mrmlScene.Clear(False)
            slicer.util.loadScene(path)
        slicer.app.processEvents()
        chart = find_results(slicer.mrmlScene, key).chart
        count = chart.GetNumberOfPlotSeriesNodes()
        series = [chart.GetNthPlotSeriesNode(number) for number in range(count)]
        styles = [one.GetLineStyleAsString(one.GetLineStyle()) for one in series]
        assert styles == ["dash", "solid", "solid", "none"]
        wait_until(lambda: self.ui.resultComboBox.count == 1)
