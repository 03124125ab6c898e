"""MIMIR: body measurements from neck-to-knee Dixon MRI, in 3D Slicer.

These are the four classes that Slicer expects of a module; the work is done in ``MIMIRLib``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional, Union

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from MIMIRLib.analysis import blocking_call as console
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.studies import PathLike, from_database, from_paths, from_volumes, subject_of
from MIMIRLib.analysis.workflow import StudyResult, Workflow
from MIMIRLib.database.phantom_study import study_uid_of
from MIMIRLib.database.study_list import find_study
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.panel.importer import PhantomImport
from MIMIRLib.panel.panel_view import PanelView
from MIMIRLib.panel.services import SlicerServices, database_file
from MIMIRLib.parameter_node import MIMIRParameters
from MIMIRLib.presenter.presenter import Presenter
from MIMIRLib.presenter.result_browser import ResultBrowser

#: Changes of the database that come within so many milliseconds are one.
COALESCED_MS = 300
#: Signals of the DICOM database after which the list of studies may be another one.
DATABASE_SIGNALS = ("databaseChanged()", "studyAdded(QString)", "opened()", "closed()")


class MIMIR(ScriptedLoadableModule):
    """What Slicer says of the module."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "MIMIR"
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["DICOM"]
        self.parent.contributors = ["The MIMIR contributors"]
        self.parent.helpText = _(
            "Measures the body in neck-to-knee Dixon MRI as UK Biobank makes it: fat depots,"
            " muscle, liver, height, weight, age and more, each with an interval. Import a study,"
            " tick it and press Apply. For research only, not for diagnosis."
        )
        self.parent.acknowledgementText = _(
            "The method is that of Langner et al., MIMIR: Deep Regression for Automated Analysis of"
            " UK Biobank Body MRI, arXiv:2106.11731."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """Offer the phantom study in the module Sample Data."""
    from MIMIRLib.panel.sample_data import register_phantom

    register_phantom(Path(__file__).parent / "Resources" / "Icons")


class MIMIRWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: it tells the presenter what happens in Slicer; see ``MIMIRLib.presenter``."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)

    def setup(self) -> None:
        """Make the panel, when the user opens the module for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        import_engine()
        panel = slicer.util.loadUI(self.resourcePath("UI/MIMIR.ui"))
        panel.setMRMLScene(slicer.mrmlScene)
        self.layout.addWidget(panel)
        self.logic = MIMIRLogic()
        self.view = PanelView(panel)
        self.presenter = Presenter(self.view, SlicerServices(), ResultBrowser(slicer.mrmlScene))
        self.view.connect(self.presenter)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        for event in (slicer.mrmlScene.EndCloseEvent, slicer.mrmlScene.EndImportEvent):
            self.addObserver(slicer.mrmlScene, event, self.onSceneChanged)
        self.refreshTimer = qt.QTimer()
        self.refreshTimer.setSingleShot(True)
        self.refreshTimer.setInterval(COALESCED_MS)
        self.refreshTimer.connect("timeout()", self.onDatabaseChanged)
        for signal in DATABASE_SIGNALS:
            slicer.dicomDatabase.connect(signal, self.refreshTimer.start)
        self.enter()

    def cleanup(self) -> None:
        """Let go of everything, when Slicer closes or the module is reloaded."""
        self.removeObservers()
        for signal in DATABASE_SIGNALS:
            slicer.dicomDatabase.disconnect(signal, self.refreshTimer.start)
        self.refreshTimer.stop()
        self.presenter.cancel()
        self.view.close()

    def enter(self) -> None:
        """Show what is there now, each time the user opens the module."""
        self.presenter.refresh_modules()
        self.presenter.refresh_studies()
        self.onSceneChanged()

    def onSceneStartClose(self, caller: Any, event: str) -> None:
        """Stop before the scene's nodes go."""
        self.presenter.cancel()
        self.presenter.use(None)

    def onSceneChanged(self, caller: Any = None, event: str = "") -> None:
        """Take the choices and results of the scene."""
        if self.parent.isEntered or caller is None:
            self.presenter.use(self.logic.getParameterNode())
            self.presenter.refresh_results()

    def onDatabaseChanged(self) -> None:
        """List the studies anew, if somebody is looking."""
        if self.parent.isEntered:
            self.presenter.refresh_studies()

    def onReload(self) -> None:
        """Load the package anew, too, and not only this file."""
        for name in [name for name in sys.modules if name.split(".")[0] == "MIMIRLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)


class MIMIRLogic(ScriptedLoadableModuleLogic):
    """Measuring from Slicer's Python console: each call waits, and Slicer stays usable meanwhile.

    >>> logic = MIMIR.MIMIRLogic()
    >>> result = logic.analyzeStudy("2.25.123", modules=["phantom"])
    >>> for m in result.measurements:
    ...     print(m.name, m.value, m.unit, m.lower, m.upper, m.flags)

    All of its methods take the same options:

    - ``modules``: names or folders of inference modules; may be left out where there is only one.
    - ``level``: share of the intervals that hold the true value, 0.5 to 0.999.
    - ``device``: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    - ``allowUnvalidated``: measure also what a module was not validated on, and flag it.
    - ``volumes``: show the fused volumes, too.
    - ``progress``: a function that is told how far it is (``fraction``, ``sentence``).

    They return results with ``measurements``, ``findings``, ``flags`` and ``nodes`` (``table``,
    ``chart``, ``projection``, ``water``, ``fat``, ``fraction``), and raise a ``MimirError`` with
    ``code`` and ``reason`` where nothing could be measured; the scene is as before then.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        import_engine()

    def getParameterNode(self) -> MIMIRParameters:
        """The user's choices, kept in the scene."""
        return MIMIRParameters(ScriptedLoadableModuleLogic.getParameterNode(self))

    def importPhantom(self) -> str:
        """Take a phantom study, a synthetic body, into Slicer's DICOM database.

        Returns:
            Its Study Instance UID.

        Raises:
            RuntimeError: Where it cannot be imported, with the reason.
        """
        work = PhantomImport(slicer.dicomDatabase)
        work.run()
        if work.failures:
            raise RuntimeError(work.summary)
        return study_uid_of(work.archive)

    def analyzeStudy(self, studyInstanceUID: str, **options: Any) -> StudyResult:
        """Measure a study of Slicer's DICOM database.

        Args:
            studyInstanceUID: DICOM's Study Instance UID.
            options: See the class.
        """
        entry = find_study(database_file(), studyInstanceUID)
        study = from_database(slicer.dicomDatabase, entry or studyInstanceUID)
        return self._analyze((study,), **options)[0]

    def analyzeFiles(
        self, paths: Union[PathLike, Sequence[PathLike]], **options: Any
    ) -> list[StudyResult]:
        """Measure studies in files.

        Args:
            paths: Zip archives or folders, a study each, as for ``mimir infer``; or the DICOM files
                of one study.
            options: See the class.

        Returns:
            A result a study; one that could not be measured has a ``reason`` and no measurements.
        """
        return self._analyze(from_paths(paths), **options)

    def analyzeVolumes(self, water: Any, fat: Any, **options: Any) -> StudyResult:
        """Measure fused volumes in the scene again, e.g. with another inference module.

        Args:
            water, fat: Volume nodes that MIMIR has made. Others are refused: they may be cropped
                and resampled in another way.
            options: See the class.
        """
        with tempfile.TemporaryDirectory(prefix="mimir-", dir=slicer.app.temporaryPath) as folder:
            study = from_volumes(water, fat, Path(folder))
            entry = find_study(database_file(), study.key) if database_file() else None
            if entry is not None:
                study = replace(study, subject=subject_of(entry))
            return self._analyze((study,), **{"volumes": False, **options})[0]

    def _analyze(
        self,
        studies: tuple[StudyRequest, ...],
        modules: Optional[Union[str, Sequence[str]]] = None,
        level: float = 0.95,
        device: str = "auto",
        allowUnvalidated: bool = False,
        volumes: bool = True,
        progress: Optional[Callable[[Any], Any]] = None,
    ) -> list[StudyResult]:
        chosen = console.chosen_modules(modules)
        request = AnalysisRequest(studies, chosen, level, device, allowUnvalidated, volumes)
        scratch = Path(slicer.app.temporaryPath)
        workflow = Workflow(slicer.mrmlScene, request, scratch=scratch)
        return console.run(workflow, slicer.app.processEvents, progress)


class MIMIRTest(ScriptedLoadableModuleTest):
    """Runs the tests that need Slicer itself; see ``MIMIRLib.slicer_tests``."""

    def runTest(self) -> None:
        """Run them all."""
        self.test_in_slicer()

    def test_in_slicer(self) -> None:
        """All of them pass."""
        from MIMIRLib.slicer_tests import run_all

        self.assertTrue(run_all().wasSuccessful())  # noqa: PT009
