"""A temporary DICOM database that holds the phantom study, and what tests do with it."""

from __future__ import annotations

import sys
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import slicer

from MIMIRLib.database.phantom_study import phantom_path
from MIMIRLib.database.study_list import StudyEntry, list_studies
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.panel.import_job import PhantomImportJob
from MIMIRLib.panel.slicer_services import database_file

#: How long (seconds) anything may take before a test gives up.
PATIENCE_S = 180
#: Options of the console that tests need wherever other inference modules may be there, too.
PHANTOM = {"modules": "phantom"}


@contextmanager
def temporary_database() -> Iterator[None]:
    """Let ``slicer.dicomDatabase`` be an empty one for a while."""
    from DICOMLib import DICOMUtils

    with tempfile.TemporaryDirectory(prefix="mimir-test-") as folder:
        place = Path(folder) / "database"
        with DICOMUtils.TemporaryDICOMDatabase(place.as_posix()):
            yield


@contextmanager
def phantom_database() -> Iterator[None]:
    """Let ``slicer.dicomDatabase`` be one that holds the phantom study for a while."""
    import_engine()
    with temporary_database():
        job = PhantomImportJob(slicer.dicomDatabase)
        job.run(slicer.app.processEvents)
        if not job.studies:
            raise RuntimeError(f"The phantom study could not be imported: {job.summary}")
        yield


def phantom_zip() -> Path:
    """The archive that the phantom study was imported from."""
    return phantom_path(Path(slicer.app.cachePath) / "MIMIRPhantom")


def phantom_entry() -> StudyEntry:
    """The phantom study in the database."""
    (entry,) = list_studies(database_file())
    return entry


def scene_nodes() -> list[str]:
    """IDs and names of all nodes that tell a scene from another."""
    kinds = ("vtkMRMLDisplayableNode", "vtkMRMLTableNode", "vtkMRMLPlotChartNode")
    nodes = [node for kind in kinds for node in slicer.util.getNodesByClass(kind)]
    return sorted(f"{node.GetID()} {node.GetName()}" for node in nodes)


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Let Slicer's event loop run until something is the case.

    Raises:
        TimeoutError: Where it takes too long.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        slicer.app.processEvents()
        time.sleep(0.01)


class SceneTest(unittest.TestCase):
    """A test that begins with an empty scene.

    It fails also where a function fails that Qt or the scene has called: those print their errors
    and go on.
    """

    def setUp(self) -> None:
        """Empty the scene."""
        self.unseen: list[BaseException] = []
        self.usual_hook, sys.excepthook = sys.excepthook, self._note
        slicer.mrmlScene.Clear(False)

    def tearDown(self) -> None:
        """Let what waits in the event loop happen, too."""
        slicer.app.processEvents()
        sys.excepthook = self.usual_hook
        assert not self.unseen, f"failed unseen: {self.unseen[0]!r}"

    def _note(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.unseen.append(error)
        self.usual_hook(kind, error, trace)
