"""What the panel needs of Slicer: its DICOM database, its scene, its Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import slicer

from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.studies import all_from_database
from MIMIRLib.analysis.workflow import Workflow
from MIMIRLib.database.study_list import StudyEntry, list_studies
from MIMIRLib.engine import requirements
from MIMIRLib.panel.importer import DatabaseImport
from MIMIRLib.panel.installer import SlicerInstaller


class SlicerServices:
    """Does the panel's work; see ``presenter_protocols.Services``."""

    def studies(self) -> Sequence[StudyEntry]:
        """Dixon studies of the DICOM database."""
        return list_studies(database_file())

    def requirements(self) -> Optional[str]:
        """Get missing packages, after a question; if some are still missing, how to go on."""
        return requirements.ensure(SlicerInstaller())

    def measure(self, request: AnalysisRequest, entries: Sequence[StudyEntry]) -> Workflow:
        """A workflow, not begun, that measures studies of the database."""
        studies = all_from_database(slicer.dicomDatabase, entries)
        return Workflow(slicer.mrmlScene, request, studies, Path(slicer.app.temporaryPath))

    def take_in(self, paths: Sequence[str]) -> Any:
        """An import of folders or zip archives into the database, not begun."""
        return DatabaseImport(slicer.dicomDatabase, paths)


def database_file() -> str:
    """The DICOM database's file; empty while it is not open."""
    database = slicer.dicomDatabase
    return database.databaseFilename if database is not None and database.isOpen else ""
