"""A study with water and fat exchanged is found before Apply, and repaired if the user says so."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer

from MIMIRLib.panel.import_job import ImportJob
from MIMIRLib.slicer_tests.exchanged_study import write_exchanged
from MIMIRLib.slicer_tests.panel_tests import PanelCase
from MIMIRLib.slicer_tests.phantom_database import phantom_zip, temporary_database, wait_until


class FindingTest(PanelCase):
    """The panel on the phantom with its third station's water and fat exchanged."""

    def setUp(self) -> None:
        """List the study in a database of its own."""
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        database = temporary_database()
        database.__enter__()
        self.addCleanup(database.__exit__, None, None, None)
        archive = write_exchanged(phantom_zip(), Path(scratch.name) / "exchanged.zip")
        ImportJob(slicer.dicomDatabase, [str(archive)]).run(slicer.app.processEvents)
        super().setUp()
        self.ui.refreshButton.click()  # the phantom itself has the same UID

    def test_a_study_with_water_and_fat_exchanged_is_found_and_repaired(self) -> None:
        """The finding has a picture and a place; the repaired result is marked."""
        self.tick()
        wait_until(lambda: self.status().startswith("refused: "))
        assert not self.ui.applyButton.enabled
        assert "Exchange water and fat back" in self.ui.repairButton.text
        (finding, *_others) = self.texts(self.ui.findingsView)
        assert finding[0] == "stop"
        self.ui.findingsView.clicked(self.ui.findingsView.model().index(0, 0))
        assert self.ui.findingLabel.text.startswith("Stop: ")
        assert not self.ui.pictureLabel.pixmap.isNull()

        self.ui.repairButton.click()
        wait_until(lambda: not self.ui.cancelButton.enabled)

        assert self.ui.statusLabel.text == "1 study measured."
        assert self.ui.resultComboBox.currentText.startswith("Repaired: ")
        assert self.texts(self.ui.resultFindingsView)[0][0] == "warning"
        self.ui.resultFindingsView.clicked(self.ui.resultFindingsView.model().index(0, 0))
        if slicer.app.layoutManager() is not None:
            water, bounds = self.nodes().water, [0.0] * 6
            water.GetRASBounds(bounds)
            z_mm = slicer.util.getNode("vtkMRMLSliceNodeRed").GetSliceToRAS().GetElement(2, 3)
            middle, height = (bounds[4] + bounds[5]) / 2, bounds[5] - bounds[4]
            assert middle < z_mm < middle + height / 4, z_mm  # the third station of six
