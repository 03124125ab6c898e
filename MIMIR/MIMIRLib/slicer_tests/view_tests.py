"""Slicer's views show the chosen result, say whose it is, and stay as the user arranges them."""

from __future__ import annotations

import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any

import slicer

from MIMIRLib.scene.results import COHORT_KEY
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import PHANTOM, phantom_entry, phantom_zip, wait_until
from MIMIRLib.views.layouts import BODY_LAYOUT, FAT_3D_LAYOUT, PROFILE_LAYOUT

#: The three lines that the phantom's patient, date and purpose have in the corner of a view.
JANE = ("Phantom, 5", "2020-02-29", "research use only")


@unittest.skipIf(slicer.app.layoutManager() is None, "There are no views without a main window.")
class ViewTest(PanelCase):
    """The views after the phantom was measured, alone or with the same body in files."""

    def setUp(self) -> None:
        """Open the module in Slicer's own layout."""
        super().setUp()
        self.manager = slicer.app.layoutManager()
        self.views = self.module.view.results.views
        self.views.layouts._is_chosen_once = False
        self.ui.volumesCheckBox.checked = True
        self.manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    def measure_files(self, *names: str, **options: Any) -> None:
        """Measure the phantom in files, as other studies."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [shutil.copy(phantom_zip(), Path(folder) / f"{name}.zip") for name in names]
            self.module.logic.analyzeFiles(paths, **PHANTOM, **options)
        self.module.presenter.refresh_results()

    def choose(self, key: str) -> None:
        """Choose a result in the box."""
        combo = self.ui.resultComboBox
        assert combo.findData(key) >= 0, key
        combo.setCurrentIndex(combo.findData(key))
        combo.activated(combo.currentIndex)
        wait_until(lambda: not self.views._timer.active and not self.views._fit_timer.active)

    def shown(self) -> set[str]:
        """Return the names of all volumes in the slice views."""
        composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        ids = [
            id_
            for c in composites
            for id_ in (c.GetBackgroundVolumeID(), c.GetForegroundVolumeID())
        ]
        return {slicer.mrmlScene.GetNodeByID(id_).GetName() for id_ in ids if id_}

    def corner(self, view: str = "MIMIRCoronal") -> str:
        """Return the text in a view's corner."""
        wait_until(lambda: not self.views._timer.active)
        return str(self.views.corners.texts[view])

    def test_all_views_follow_the_chosen_result(self) -> None:
        """A study without volumes, and the cohort, leave no one else's images."""
        self.measure()
        assert any(name.startswith("Fat fraction") for name in self.shown())
        jane = phantom_entry().study_uid
        self.measure_files("a", "b", volumes=False)

        self.choose("a")
        assert {name.split(" - ")[0] for name in self.shown()} == {"Projection"}
        assert all(name.endswith(" - a") for name in self.shown()), self.shown()
        assert self.views.chart.title.startswith("a (")
        assert self.corner() == ""
        assert self.corner("MIMIRProjection") == "a, research use only"

        self.choose(COHORT_KEY)
        assert self.shown() == set()
        assert self.views.chart.key == ""
        assert "cohort" in slicer.util.getNode(self.active_table()).GetName().lower()
        legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(self.nodes().fraction)
        assert not legend.GetVisibility()

        self.choose(jane)
        assert legend.GetVisibility()
        assert set(JANE) <= {*self.corner().split("\n")}
        assert self.views.chart.title.startswith("Phantom, 5, 2020-02-29")
        assert self.active_table() == self.nodes().table.GetID()

    def test_a_result_that_is_gone_leaves_empty_views(self) -> None:
        """When the scene closes, no one's name or chart stays."""
        self.measure()
        assert len(self.views.chart.texts) > 10
        slicer.mrmlScene.Clear(False)
        wait_until(lambda: not self.views._timer.active)
        assert self.views.chart.key == ""
        assert set(self.views.corners.texts.values()) == {""}
        assert self.shown() == set()

    def test_the_layout_is_chosen_once_and_then_the_users(self) -> None:
        """Another run, another result and a refresh leave the layout and the user's volumes."""
        self.measure()
        assert self.manager.layout == BODY_LAYOUT
        four_up = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        self.manager.setLayout(four_up)
        self.measure()
        assert self.manager.layout == four_up
        mine = slicer.modules.volumes.logic().CloneVolume(
            slicer.mrmlScene, self.nodes().water, "mine"
        )
        mine.RemoveAttribute("MIMIR.Study")
        slicer.util.setSliceViewerLayers(background=mine, foreground=None)
        self.module.presenter.refresh_results()
        assert "mine" in self.shown()
        self.ui.showButton.click()
        assert self.manager.layout == BODY_LAYOUT
        assert "mine" not in self.shown()
        self.ui.profileButton.click()
        assert self.manager.layout == PROFILE_LAYOUT

    def test_a_run_that_ends_in_another_module_changes_no_view(self) -> None:
        """The result is shown when the user comes back."""
        self.tick()
        self.ui.applyButton.click()
        slicer.util.selectModule("Data")
        layout = self.manager.layout
        wait_until(lambda: not self.ui.cancelButton.enabled)
        assert self.manager.layout == layout
        assert self.shown() == set()
        slicer.util.selectModule("MIMIR")
        assert self.manager.layout == BODY_LAYOUT
        assert self.nodes().water.GetName() in self.shown()

    def test_the_corner_tells_what_a_view_really_shows(self) -> None:
        """It follows the volumes that the user puts there, and warns if they do not belong."""
        self.measure()
        self.measure_files("a")
        self.choose(phantom_entry().study_uid)
        composite = self.manager.sliceWidget("MIMIRCoronal").mrmlSliceCompositeNode()
        other = slicer.util.getNode("Fat fraction - a")

        composite.SetForegroundVolumeID(other.GetID())
        assert self.corner().startswith("TWO STUDIES\n")
        composite.SetBackgroundVolumeID(slicer.util.getNode("Water - a").GetID())
        assert self.corner() == "a\nresearch use only"
        assert set(JANE) <= {*self.corner("MIMIRSagittal").split("\n")}

    def test_the_chart_shows_what_the_filter_finds_and_colours_are_explained(self) -> None:
        """The chart has the table's rows; the fat fraction has a legend in percent."""
        self.measure()
        everything = self.views.chart.texts
        assert {"VAT", "ASAT", "Height"} <= {*everything}, everything
        self.ui.measurementFilterEdit.text = "visceral"
        assert "VAT" in self.views.chart.texts
        assert "Height" not in self.views.chart.texts
        self.ui.measurementFilterEdit.text = ""
        assert self.views.chart.texts == everything
        legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(self.nodes().fraction)
        assert legend.GetTitleText() == "Fat fraction (%)"
        assert legend.GetVisibility()

    def test_fat_in_3d_is_one_check_box(self) -> None:
        """It shows the chosen study's fat, with its label; unticked, nothing of it is left."""
        self.measure()
        before = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLVolumePropertyNode")
        self.ui.fat3DCheckBox.checked = True
        assert self.manager.layout == FAT_3D_LAYOUT
        assert len(renderings()) == 1
        assert set(JANE) <= {*self.corner("3D MIMIR3D").split("\n")}
        self.measure_files("a", volumes=False)
        self.choose("a")
        assert not renderings()
        assert self.corner("3D MIMIR3D") == ""
        self.choose(phantom_entry().study_uid)
        assert len(renderings()) == 1
        self.ui.fat3DCheckBox.checked = False
        assert self.manager.layout == BODY_LAYOUT
        assert not renderings()
        after = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLVolumePropertyNode")
        assert after == before

    def active_table(self) -> str:
        """Return the ID of the table in Slicer's table views."""
        return str(slicer.app.applicationLogic().GetSelectionNode().GetActiveTableID())


def renderings() -> list[Any]:
    """Return the volumes that are rendered."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLVolumeRenderingDisplayNode")
        if node.GetVisibility()
    ]
