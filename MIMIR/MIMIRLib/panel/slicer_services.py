"""Connect the presenter with Slicer's DICOM database, scene and Python packages."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Optional

import slicer

from MIMIRLib.analysis.check_job import CheckJob
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.scene_studies import Chosen, all_chosen
from MIMIRLib.analysis.studies import all_from_database
from MIMIRLib.database.study_list import StudyEntry, list_studies
from MIMIRLib.engine import requirements
from MIMIRLib.engine.install_job import InstallJob
from MIMIRLib.errors import mimir_error
from MIMIRLib.panel.dicom_database import create_database, database_file, new_database_folder
from MIMIRLib.panel.import_job import ImportJob, PhantomImportJob
from MIMIRLib.translate import tr as _


class SlicerServices:
    """Does the panel's work; see ``presenter.protocols.Services``."""

    def new_database_folder(self) -> str:
        """Return where a DICOM database would be made; empty while one is open."""
        return new_database_folder()

    def create_database(self) -> None:
        """Make a DICOM database without a question, unless one is open."""
        folder = new_database_folder()
        if folder:
            create_database(folder)

    def need_database(self) -> None:
        """Make a DICOM database if none is open and the user agrees; raises if there is none."""
        folder = new_database_folder()
        if not folder:
            return
        question = _("Slicer has no DICOM database yet. Create it in this folder?\n\n{folder}")
        if not self.ask(question.format(folder=folder)):
            raise mimir_error(
                "DATABASE_DECLINED",
                _("without a DICOM database, Slicer cannot keep studies"),
                _('Press "Create the database here", or open another in the module DICOM.'),
            )
        create_database(folder)

    def phantom_job(self) -> PhantomImportJob:
        """Return a job that makes the phantom study and imports it into the database."""
        return PhantomImportJob(slicer.dicomDatabase)

    def phantom_uid(self) -> str:
        """Return the UID of the phantom study, once it is made."""
        return PhantomImportJob(slicer.dicomDatabase).study_uid

    def ask(self, question: str) -> bool:
        """Return whether the user agrees."""
        return ask_user(question)

    def studies(self) -> Sequence[StudyEntry]:
        """Return the Dixon studies of the DICOM database."""
        return list_studies(database_file())

    def lacks_packages(self, runtime: str) -> bool:
        """Return whether packages that a runtime for networks needs are missing."""
        return bool(requirements.missing(runtime))

    def install_job(self, runtime: str = "auto") -> InstallJob:
        """Return a job that installs the missing packages of a runtime if the user agrees."""
        return InstallJob(SlicerInstaller(self.ask), runtime)

    def install_for_pdf(self) -> None:
        """Install what PDF files need if the user agrees; raises if it is still missing."""
        job = InstallJob(SlicerInstaller(self.ask), "pdf")
        job.run(slicer.app.processEvents)
        if job.error is not None:
            raise job.error

    def scan_job(self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]) -> ScanJob:
        """Return a job that reads the headers of studies of the database."""
        return ScanJob(all_from_database(slicer.dicomDatabase, entries), known)

    def check_job(
        self, entries: Sequence[StudyEntry], known: Mapping[str, ScanOutcome]
    ) -> CheckJob:
        """Return a job that checks the images of studies of the database."""
        studies = all_from_database(slicer.dicomDatabase, entries)
        return CheckJob(studies, known, Path(slicer.app.temporaryPath))

    def measure_job(
        self, request: AnalysisRequest, studies: Sequence[Chosen], segmentation: Optional[Any]
    ) -> MeasureJob:
        """Return a job that measures studies of the database and of the scene."""
        files = tempfile.TemporaryDirectory(prefix="mimir-", dir=slicer.app.temporaryPath)
        found = all_chosen(slicer.dicomDatabase, studies, segmentation, Path(files.name))
        job = MeasureJob(slicer.mrmlScene, request, found, runs=self.runs_folder())
        job.ended.connect(lambda _job: files.cleanup())
        return job

    def runs_folder(self) -> Path:
        """Return the folder in which runs survive a crash of Slicer: beside its other caches."""
        return Path(slicer.app.cachePath) / "MIMIR" / "runs"

    def import_job(self, paths: Sequence[str]) -> ImportJob:
        """Return a job that imports folders or zip archives into the database."""
        return ImportJob(slicer.dicomDatabase, paths)


def ask_user(question: str) -> bool:
    """Return whether the user agrees; never in tests, where dialogs close by themselves."""
    if slicer.app.testingEnabled():
        return False
    return bool(slicer.util.confirmYesNoDisplay(question, windowTitle="MIMIR"))


class SlicerInstaller:
    """Asks in a dialog and installs PyTorch; see ``engine.install_job``."""

    def __init__(self, ask: Callable[[str], bool]) -> None:
        self.ask = ask

    def has_pytorch_extension(self) -> bool:
        """Return whether the PyTorch extension is installed."""
        return find_spec("PyTorchUtils") is not None

    def install_pytorch(self, torch: str, torchvision: str) -> None:
        """Install both in the build that suits this computer; blocks Slicer for minutes."""
        import PyTorchUtils

        with slicer.util.WaitCursor():
            PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=False,
                torchVersionRequirement=torch,
                torchvisionVersionRequirement=torchvision,
            )
