"""The first minutes: no database, an empty panel, Try it; the modules Sample Data, Data, DICOM."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qt
import slicer

from MIMIRLib.database.study_list import list_studies
from MIMIRLib.panel import dicom_database, measure_from, sample_data
from MIMIRLib.panel.import_job import ImportJob
from MIMIRLib.scene.results import find_results
from MIMIRLib.slicer_tests.phantom_database import (
    SceneTest,
    phantom_entry,
    phantom_zip,
    scene_nodes,
    temporary_database,
    wait_until,
)


@contextmanager
def no_database() -> Iterator[Path]:
    """Let Slicer have no DICOM database temporarily; yields the folder that it would use."""
    settings = qt.QSettings()
    key = slicer.dicomDatabaseDirectorySettingsKey
    usual, opened = settings.value(key), slicer.dicomDatabase.databaseFilename
    with tempfile.TemporaryDirectory(prefix="mimir-test-") as folder:
        place = Path(folder) / "new" / "database"
        slicer.dicomDatabase.closeDatabase()
        settings.setValue(key, place.as_posix())
        try:
            yield place
        finally:
            slicer.dicomDatabase.closeDatabase()
            settings.setValue(key, usual)
            slicer.dicomDatabase.openDatabase(opened)


class StartCase(SceneTest):
    """Each test opens the module."""

    def setUp(self) -> None:
        """Open the module, and agree to all questions."""
        super().setUp()
        self.module = slicer.util.getModuleWidget("MIMIR")
        if slicer.util.mainWindow() is not None:
            slicer.util.selectModule("MIMIR")
        self.module.enter()
        self.ui = self.module.view.ui
        self.questions: list[str] = []
        services = self.module.services
        usual, services.ask = services.ask, self.agree
        self.addCleanup(setattr, services, "ask", usual)
        self.addCleanup(self.module.enter)

    def agree(self, question: str) -> bool:
        """Note a question and agree."""
        self.questions.append(question)
        return True

    def shown(self, widget: Any) -> bool:
        """Return whether a widget is not hidden, whether there is a window or not."""
        return not widget.isHidden()


class TryItTest(StartCase):
    """The button of an empty panel."""

    def test_without_a_database_one_button_leads_to_results(self) -> None:
        """One question names the folder of the database; then the phantom is measured."""
        with no_database() as folder:
            self.module.enter()
            assert self.shown(self.ui.createDatabaseButton)
            assert self.shown(self.ui.tryButton)
            assert self.ui.emptyLabel.text.endswith("/new/database.")
            assert folder.as_posix() in self.ui.createDatabaseButton.toolTip
            self.ui.tryButton.click()
            assert self.ui.cancelButton.enabled, self.ui.statusLabel.text
            wait_until(lambda: not self.ui.cancelButton.enabled)
            assert self.ui.statusLabel.text == "1 study measured.", self.ui.statusLabel.text
            assert len(self.questions) == 1
            assert folder.as_posix() in self.questions[0]
            nodes = find_results(slicer.mrmlScene, phantom_entry().study_uid)
            assert nodes is not None
            assert nodes.table is not None
            assert not self.shown(self.ui.tryButton)
            assert not self.shown(self.ui.createDatabaseButton)

    def test_cancelled_at_each_stage_nothing_is_half_made(self) -> None:
        """No part of a study is listed, no node exists, no file of an archive is left."""
        before = scene_nodes()
        for sentence in ("Making the phantom", "Unpacking", "Adding images", ""):
            with temporary_database():
                self.module.enter()
                archive = phantom_zip()
                if sentence == "Making the phantom":
                    archive.unlink()
                self.ui.tryButton.click()
                wait_until(lambda s=sentence: self.has_reached(s))
                self.ui.cancelButton.click()
                assert not self.ui.cancelButton.enabled
                assert "ancelled" in self.ui.statusLabel.text, self.ui.statusLabel.text
                assert scene_nodes() == before
                studies = list_studies(dicom_database.database_file())
                assert [one.images for one in studies if one.stations != 6] == []
                assert list(archive.parent.glob("*.part")) == []

    def has_reached(self, sentence: str) -> bool:
        """Return whether a stage is under way; empty: measuring has begun."""
        if not self.ui.cancelButton.enabled:
            raise AssertionError(f"ended before {sentence!r}: {self.ui.statusLabel.text}")
        text = self.ui.statusLabel.text
        return text.startswith(sentence) if sentence else self.ui.progressBar.value > 80

    def test_a_database_is_created_where_the_panel_says(self) -> None:
        """The button asks nothing: the sentence above it names the folder."""
        with no_database() as folder:
            self.module.enter()
            self.ui.createDatabaseButton.click()
            assert (folder / dicom_database.DATABASE_FILE).is_file()
            assert slicer.dicomDatabase.isOpen
            assert self.questions == []
            assert "no neck-to-knee Dixon study" in self.ui.emptyLabel.text
            assert not self.shown(self.ui.createDatabaseButton)

    def test_a_database_that_cannot_be_opened_is_left_alone(self) -> None:
        """The new one has a folder of its own."""
        with no_database() as folder:
            folder.mkdir(parents=True)
            (folder / dicom_database.DATABASE_FILE).write_bytes(b"of an older Slicer")
            assert dicom_database.new_database_folder() == f"{folder.as_posix()}-2"

    def test_an_import_without_a_database_asks_once_for_all_archives(self) -> None:
        """A declined question is one sentence, whatever the number of archives."""
        with no_database():
            self.module.services.ask = lambda question: False
            self.module.enter()
            self.module.presenter.import_studies([str(phantom_zip())] * 3)
            assert self.ui.statusLabel.text.count("DATABASE_DECLINED") == 1
            assert not self.ui.cancelButton.enabled


class ImportTest(StartCase):
    """What an import reads and says."""

    def setUp(self) -> None:
        """Make a folder with an archive of two small stations, and others."""
        super().setUp()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def run_import(self, *paths: Path) -> ImportJob:
        """Import into an empty database."""
        job = ImportJob(slicer.dicomDatabase, paths)
        job.run(slicer.app.processEvents)
        return job

    def test_archives_in_a_folder_are_imported(self) -> None:
        """Studies, Dixon scans and files that were not read are counted."""
        (self.folder / "deeper").mkdir()
        shutil.copy(phantom_zip(), self.folder / "deeper" / "study.ZIP")
        with zipfile.ZipFile(self.folder / "text.zip", "w") as archive:
            archive.writestr("../../evil.txt", "no image")
        with temporary_database():
            job = self.run_import(self.folder)
            assert (job.studies, job.dixon, job.images) == (1, 1, 1328)
            assert job.summary.startswith("1 study with a Dixon scan added; 1328 images. text.zip:")
            assert "NO_DICOM" in job.summary

    def test_files_that_are_not_read_are_counted(self) -> None:
        """Texts are no DICOM; a damaged image is DICOM, but refused."""
        with zipfile.ZipFile(phantom_zip()) as archive:
            images = [name for name in archive.namelist() if name.endswith(".dcm")][:3]
            for number, name in enumerate(images):
                (self.folder / f"image{number}").write_bytes(archive.read(name))
        (self.folder / "notes.txt").write_text("no image")
        (self.folder / "report.pdf").write_bytes(bytes(500))
        (self.folder / "damaged").write_bytes(bytes(128) + b"DICM" + b"damaged" * 9)
        with temporary_database():
            job = self.run_import(self.folder)
            assert job.images == 3, job.summary
            assert (job.rejected.others, job.rejected.damaged) == (2, 1), job.rejected
            assert "2 files were not read: they are not DICOM." in job.summary
            again = self.run_import(self.folder)
            assert again.images == 0
            assert (again.rejected.others, again.rejected.damaged) == (2, 1), again.rejected


class SampleDataTest(StartCase):
    """The module Sample Data."""

    def test_the_samples_function_imports_the_phantom(self) -> None:
        """A script gets the archive's path, and the study is in the database."""
        import SampleData

        with temporary_database():
            path = SampleData.downloadSample(sample_data.NAME)
            assert zipfile.is_zipfile(path)
            assert phantom_entry().stations == 6

    def test_a_click_imports_the_phantom(self) -> None:
        """The click calls the data set's own function."""
        import SampleData

        source = SampleData.SampleDataLogic().sourceForSampleName(sample_data.NAME)
        with temporary_database():
            source.customDownloader(source)
            assert phantom_entry().stations == 6


class MeasureFromTest(StartCase):
    """The modules Data and DICOM."""

    def setUp(self) -> None:
        """Make the phantom's items in the subject hierarchy, as the DICOM module does."""
        super().setUp()
        constants = slicer.vtkMRMLSubjectHierarchyConstants
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        self.patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
        self.study = hierarchy.CreateStudyItem(self.patient, "study")
        self.other = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "another")
        self.uid = phantom_entry().study_uid
        hierarchy.SetItemUID(self.study, constants.GetDICOMUIDName(), self.uid)
        hierarchy.SetItemUID(self.other, constants.GetDICOMUIDName(), "9.9")
        self.ui.tickNoneButton.click()

    def plugin(self) -> Any:
        """Return the plugin that Slicer has registered."""
        handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
        return handler.pluginByName("MIMIR").self()

    def test_patients_and_studies_with_a_dixon_scan_have_the_action(self) -> None:
        """Others have not."""
        plugin = self.plugin()
        for item, expected in ((self.patient, True), (self.study, True), (self.other, False)):
            plugin.action.visible = False
            plugin.showContextMenuActionsForItem(item)
            assert plugin.action.visible is expected, item

    def test_the_action_opens_the_module_with_the_study_ticked(self) -> None:
        """Apply then measures it."""
        if slicer.util.mainWindow() is not None:
            slicer.util.selectModule("Data")
        handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
        handler.setCurrentItem(self.study)
        self.plugin().action.trigger()
        if slicer.util.mainWindow() is not None:
            assert slicer.util.selectedModule() == "MIMIR"
        assert self.ui.tickedLabel.text == "1 study is ticked."
        assert self.ui.applyButton.enabled

    def test_the_dicom_browser_has_a_button_for_the_selected_study(self) -> None:
        """It is added once."""
        if slicer.util.mainWindow() is None:
            return
        slicer.util.selectModule("DICOM")
        browser = slicer.modules.DICOMInstance.browserWidget
        wait_until(lambda: slicer.util.findChildren(browser, measure_from.BUTTON))
        slicer.util.selectModule("Data")
        slicer.util.selectModule("DICOM")
        slicer.app.processEvents()
        (button,) = slicer.util.findChildren(browser, measure_from.BUTTON)
        tables = browser.dicomBrowser.dicomTableManager()
        tables.updateTableViews()
        tables.patientsTable().selectFirst()
        button.click()
        assert slicer.util.selectedModule() == "MIMIR"
        assert self.ui.tickedLabel.text == "1 study is ticked.", self.ui.statusLabel.text
