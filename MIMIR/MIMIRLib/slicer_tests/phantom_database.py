"""Provide a temporary DICOM database with the phantom study."""

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
from MIMIRLib.panel.dicom_database import database_file
from MIMIRLib.panel.import_job import PhantomImportJob

#: Longest wait of a test (seconds).
PATIENCE_S = 180
#: Options of the console: other inference modules may be installed, too.
PHANTOM = {"modules": "phantom"}


@contextmanager
def temporary_database() -> Iterator[None]:
    """Replace ``slicer.dicomDatabase`` by an empty one temporarily."""
    from DICOMLib import DICOMUtils

    with tempfile.TemporaryDirectory(prefix="mimir-test-") as folder:
        place = Path(folder) / "database"
        with DICOMUtils.TemporaryDICOMDatabase(place.as_posix()):
            yield


@contextmanager
def phantom_database() -> Iterator[None]:
    """Replace ``slicer.dicomDatabase`` by one with the phantom study temporarily."""
    import_engine()
    with temporary_database():
        job = PhantomImportJob(slicer.dicomDatabase)
        job.run(slicer.app.processEvents)
        if not job.studies:
            raise RuntimeError(f"The phantom study could not be imported: {job.summary}")
        yield


def phantom_zip() -> Path:
    """Return the archive of the phantom study."""
    return phantom_path(Path(slicer.app.cachePath) / "MIMIRPhantom")


def phantom_entry() -> StudyEntry:
    """Return the phantom study in the database."""
    (entry,) = list_studies(database_file())
    return entry


def scene_nodes() -> list[str]:
    """Return IDs and names of the nodes that a run can change."""
    kinds = ("vtkMRMLDisplayableNode", "vtkMRMLTableNode", "vtkMRMLPlotChartNode")
    nodes = [node for kind in kinds for node in slicer.util.getNodesByClass(kind)]
    return sorted(f"{node.GetID()} {node.GetName()}" for node in nodes)


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Run Slicer's event loop until a condition is met.

    Raises:
        TimeoutError: If it takes too long.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        slicer.app.processEvents()
        time.sleep(0.01)


class SceneTest(unittest.TestCase):
    """A test that starts with an empty scene.

    It also fails if a callback of Qt or of the scene fails: those only print their errors.
    """

    def setUp(self) -> None:
        """Empty the scene."""
        self.unseen: list[BaseException] = []
        self.usual_hook, sys.excepthook = sys.excepthook, self._note
        slicer.mrmlScene.Clear(False)

    def tearDown(self) -> None:
        """Process pending events, and check for errors in callbacks."""
        slicer.app.processEvents()
        sys.excepthook = self.usual_hook
        assert not self.unseen, f"failed unseen: {self.unseen[0]!r}"

    def _note(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.unseen.append(error)
        self.usual_hook(kind, error, trace)
