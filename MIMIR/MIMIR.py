"""Measure the body in neck-to-knee Dixon MRI, in 3D Slicer.

These are the four classes of a Slicer module; the work is done in ``MIMIRLib``.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional, Union

import qt
import slicer
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from MIMIRLib.analysis import blocking_call
from MIMIRLib.analysis.check_job import CheckJob
from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.scene_studies import from_scene, with_labels
from MIMIRLib.analysis.studies import PathLike, from_database, from_paths, subject_of
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.phantom_study import study_uid_of
from MIMIRLib.database.study_list import find_study
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.slicer_packages import log_packages_outside_bounds
from MIMIRLib.interval_level import DEFAULT_LEVEL
from MIMIRLib.panel.dicom_database import database_file
from MIMIRLib.panel.import_job import PhantomImportJob
from MIMIRLib.panel.panel_view import PanelView
from MIMIRLib.panel.slicer_services import SlicerServices
from MIMIRLib.parameter_node import MIMIRParameterNode
from MIMIRLib.presenter.presenter import Presenter
from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.scene.report import write_study_report
from MIMIRLib.scene.results import StudyNodes, find_results
from MIMIRLib.scene.scene_pair import ScenePair
from MIMIRLib.scene.scene_watch import SceneWatch
from MIMIRLib.translate import tr as _

#: Changes of the database within this time (milliseconds) lead to one refresh.
REFRESH_DELAY_MS = 300
#: Time (milliseconds) after which a change of the scene, such as a patient's removal, is complete.
SETTLED_MS = 50
#: Signals of the DICOM database after which the list of studies may have changed.
DATABASE_SIGNALS = ("databaseChanged()", "studyAdded(QString)", "opened()", "closed()")


class MIMIR(ScriptedLoadableModule):
    """The module's title, category and help text."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "MIMIR"
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["DICOM"]
        self.parent.contributors = ["The MIMIR contributors"]
        self.parent.helpText = _(
            "Measures the body in neck-to-knee Dixon MRI, acquired as in UK Biobank: fat depots,"
            " muscle, liver, height, weight, age and more, each with a prediction interval. Import"
            " a study, tick it and press Apply. For research only, not for diagnosis."
        )
        self.parent.acknowledgementText = _(
            "The method is from Langner et al., MIMIR: Deep Regression for Automated Analysis of"
            " UK Biobank Body MRI, <a href='https://arxiv.org/abs/2106.11731'>arXiv:2106.11731</a>."
        )
        slicer.app.connect("startupCompleted()", register)
        slicer.app.connect("startupCompleted()", sceneWatch)


def register() -> None:
    """Offer the phantom in the module Sample Data, and MIMIR in the modules Data and DICOM."""
    from MIMIRLib.panel.measure_from import register_actions
    from MIMIRLib.panel.sample_data import register_phantom

    register_actions()
    register_phantom(Path(__file__).parent / "Resources" / "Icons")


@functools.cache
def sceneWatch() -> SceneWatch:
    """Watch the scene, from Slicer's start on: a deleted patient leaves nothing behind."""
    return SceneWatch(slicer.mrmlScene, lambda act: qt.QTimer.singleShot(SETTLED_MS, act))


class MIMIRWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel; it informs ``MIMIRLib.presenter`` of changes in Slicer."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)

    def setup(self) -> None:
        """Create the panel when the user opens the module for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        import_engine()
        log_packages_outside_bounds()
        panel = slicer.util.loadUI(self.resourcePath("UI/MIMIR.ui"))
        panel.setMRMLScene(slicer.mrmlScene)
        self.layout.addWidget(panel)
        self.logic = MIMIRLogic()
        self.view = PanelView(panel)
        self.services = SlicerServices()
        self.presenter = Presenter(self.view, self.services, ResultBrowser(slicer.mrmlScene))
        self.view.connect(self.presenter)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneChanged)
        sceneWatch().changed.connect(self.onResultsChanged)
        self.refreshTimer = qt.QTimer()
        self.refreshTimer.setSingleShot(True)
        self.refreshTimer.setInterval(REFRESH_DELAY_MS)
        self.refreshTimer.connect("timeout()", self.onDatabaseChanged)
        for signal in DATABASE_SIGNALS:
            slicer.dicomDatabase.connect(signal, self.refreshTimer.start)
        self.enter()

    def cleanup(self) -> None:
        """Disconnect from Slicer when it closes or the module is reloaded."""
        self.removeObservers()
        sceneWatch().close()
        sceneWatch.cache_clear()
        for signal in DATABASE_SIGNALS:
            slicer.dicomDatabase.disconnect(signal, self.refreshTimer.start)
        self.refreshTimer.stop()
        self.presenter.close()
        self.view.close()

    def enter(self) -> None:
        """Refresh the panel each time the user opens the module."""
        self.presenter.refresh_modules()
        self.presenter.refresh_studies()
        self.onSceneChanged()
        self.presenter.results.enter()

    def exit(self) -> None:
        """Leave Slicer's views to the module that the user opens."""
        self.presenter.results.leave()

    def onSceneStartClose(self, caller: Any, event: str) -> None:
        """Cancel the job and stop using the scene before its nodes are removed."""
        self.presenter.cancel()
        self.presenter.use(None)

    def onSceneEndClose(self, caller: Any, event: str) -> None:
        """Forget what was said about the scene that was closed."""
        self.presenter.forget_scene()
        self.onSceneChanged(caller, event)

    def onResultsChanged(self) -> None:
        """Show results that came from elsewhere, and no more those that were deleted."""
        if self.parent.isEntered:
            self.presenter.refresh_results()

    def onSceneChanged(self, caller: Any = None, event: str = "") -> None:
        """Show the choices and results of the scene."""
        if self.parent.isEntered or caller is None:
            self.presenter.use(self.logic.getParameterNode())
            self.presenter.refresh_results()

    def onDatabaseChanged(self) -> None:
        """List the studies again if the module is open."""
        if self.parent.isEntered:
            self.presenter.refresh_studies()

    def onReload(self) -> None:
        """Reload the package ``MIMIRLib``, too."""
        for name in [name for name in sys.modules if name.split(".")[0] == "MIMIRLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)


class MIMIRLogic(ScriptedLoadableModuleLogic):
    """Measure from Slicer's Python console: each call waits, and Slicer stays responsive.

    >>> logic = MIMIR.MIMIRLogic()
    >>> result = logic.analyzeStudy("2.25.123", modules=["phantom"])
    >>> for m in result.measurements:
    ...     print(m.name, m.value, m.unit, m.lower, m.upper, m.flags)

    The methods ``analyze…`` have the same options:

    - ``modules``: names or folders of inference modules; optional if there is only one. With an
      empty list, studies are only measured directly.
    - ``level``: share of the intervals that contain the true value, 0.5 to 0.999.
    - ``device``: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    - ``runtime``: what runs the networks: ``auto``, ``onnx`` (ONNX Runtime) or ``torch``.
    - ``allowUnvalidated``: also measure studies outside a module's validated range, and flag them.
    - ``swap_repair``: exchange water and fat back where this is certain, and flag it; otherwise
      such a study is refused.
    - ``volumes``: show the fused volumes, too.
    - ``timeout``: time for reading one study, in seconds; 600 by default.
    - ``progress``: a function called with the current progress (``fraction``, ``sentence``).
    - ``segmentation``: a segmentation or label map node of the one study; its labels are measured.

    The methods ``measure…`` measure directly, without networks; only the last five options apply.

    They return results with ``measurements``, ``direct``, ``labels``, ``findings``, ``flags`` and
    ``nodes`` (``table``, ``chart``, ``profile``, ``projection``, ``water``, ``fat``, ``fraction``,
    ``regions``). They always measure, also what the scene has already. Each study is shown when it
    is measured; if the call is cancelled or interrupted, those stay. If nothing could be measured,
    they raise a ``MimirError`` with ``code`` and ``reason``, and the scene is unchanged.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        import_engine()

    def getParameterNode(self) -> MIMIRParameterNode:
        """Return the user's choices, kept in the scene."""
        return MIMIRParameterNode(ScriptedLoadableModuleLogic.getParameterNode(self))

    def importPhantom(self) -> str:
        """Import a phantom study, a synthetic body, into Slicer's DICOM database.

        Returns:
            Its Study Instance UID.

        Raises:
            MimirError: If it cannot be imported.
        """
        job = PhantomImportJob(slicer.dicomDatabase)
        job.run(slicer.app.processEvents)
        for _path, error in job.failures:
            raise error
        return study_uid_of(job.archive)

    def scanStudy(self, studyInstanceUID: str) -> ScanOutcome:
        """List what a study of Slicer's DICOM database contains; nothing is measured.

        Args:
            studyInstanceUID: DICOM's Study Instance UID.

        Returns:
            Its ``stations``, ``findings`` and ``passed_over``. If it would be refused,
            ``is_readable`` is false, and ``code`` and ``reason`` are given.
        """
        return self._scan((self._study(studyInstanceUID),))[0]

    def scanFiles(self, paths: Union[PathLike, Sequence[PathLike]]) -> list[ScanOutcome]:
        """List what studies in files contain; see ``analyzeFiles`` and ``scanStudy``."""
        return self._scan(from_paths(paths))

    def checkStudy(self, studyInstanceUID: str) -> ScanOutcome:
        """Check the headers and images of a study of the database; see ``scanStudy``.

        Args:
            studyInstanceUID: DICOM's Study Instance UID.

        Returns:
            As ``scanStudy``, with ``picture``: PNG of the images with the places of findings.
        """
        return self._check((self._study(studyInstanceUID),))[0]

    def checkFiles(self, paths: Union[PathLike, Sequence[PathLike]]) -> list[ScanOutcome]:
        """Check the headers and images of studies in files; see ``analyzeFiles``."""
        return self._check(from_paths(paths))

    def measureStudy(self, studyInstanceUID: str, **options: Any) -> StudyOutcome:
        """Measure a study of the database directly, without networks; see ``analyzeStudy``."""
        return self.analyzeStudy(studyInstanceUID, modules=(), **options)

    def measureFiles(
        self, paths: Union[PathLike, Sequence[PathLike]], **options: Any
    ) -> list[StudyOutcome]:
        """Measure studies in files directly, without networks; see ``analyzeFiles``."""
        return self.analyzeFiles(paths, modules=(), **options)

    def analyzeStudy(self, studyInstanceUID: str, **options: Any) -> StudyOutcome:
        """Measure a study of Slicer's DICOM database.

        Args:
            studyInstanceUID: DICOM's Study Instance UID.
            options: See the class.
        """
        return self._analyze((self._study(studyInstanceUID),), **options)[0]

    def analyzeFiles(
        self, paths: Union[PathLike, Sequence[PathLike]], **options: Any
    ) -> list[StudyOutcome]:
        """Measure studies in files.

        Args:
            paths: Zip archives or folders, one per study, as for ``mimir infer``; or the DICOM
                files of one study.
            options: See the class.

        Returns:
            One result per study. A study that could not be measured has a ``reason`` and no
            measurements.
        """
        return self._analyze(from_paths(paths), **options)

    def measureVolumes(self, water: Any, fat: Any, **options: Any) -> StudyOutcome:
        """Measure volumes in the scene directly, without networks; see ``analyzeVolumes``."""
        return self.analyzeVolumes(water, fat, modules=(), **options)

    def analyzeVolumes(
        self,
        water: Any,
        fat: Any,
        inPhase: Optional[Any] = None,
        opposedPhase: Optional[Any] = None,
        **options: Any,
    ) -> StudyOutcome:
        """Measure stitched volumes in the scene, wherever they come from.

        Volumes that MIMIR has fused, and that are unchanged, are measured again as their study, and
        stay. Others count as a study of their own, of an unknown scanner.

        Args:
            water: The water volume node. Linear transforms are applied, others refused.
            fat: The fat volume node of the same scan.
            inPhase: Its in-phase volume node, if there is one.
            opposedPhase: Its opposed-phase volume node, if there is one.
            options: See the class.
        """
        with _temporary_folder() as folder:
            study = from_scene(ScenePair(water, fat, inPhase, opposedPhase), folder)
            if study.fused:
                entry = find_study(database_file(), study.key) if database_file() else None
                study = study if entry is None else replace(study, subject=subject_of(entry))
                options = {"volumes": False, **options}
            return self._analyze((study,), **options)[0]

    def writeReport(self, study: str, path: PathLike) -> None:
        """Write the report on a study that was measured: the same as that of ``mimir report``.

        Args:
            study: The study's UID, or the name of its file, as in its result's ``key``.
            path: File to write; one that ends in ``.pdf`` is a PDF file, any other an HTML page. A
                PDF file needs reportlab: ``slicer.util.pip_install("reportlab")``.

        Raises:
            MimirError: ``RESULT_NOT_KEPT`` if the scene has no result of this study.
        """
        nodes = find_results(slicer.mrmlScene, study) or StudyNodes()
        write_study_report(os.fspath(path), nodes)

    def _study(self, studyInstanceUID: str) -> StudyRequest:
        entry = find_study(database_file(), studyInstanceUID)
        return from_database(slicer.dicomDatabase, entry or studyInstanceUID)

    def _scan(self, studies: tuple[StudyRequest, ...]) -> list[ScanOutcome]:
        return blocking_call.scan(ScanJob(studies), slicer.app.processEvents)

    def _check(self, studies: tuple[StudyRequest, ...]) -> list[ScanOutcome]:
        known = {outcome.key: outcome for outcome in self._scan(studies)}
        job = CheckJob(studies, known, Path(slicer.app.temporaryPath))
        return blocking_call.scan(job, slicer.app.processEvents)

    def _analyze(
        self,
        studies: tuple[StudyRequest, ...],
        modules: Optional[Union[str, Sequence[str]]] = None,
        level: float = DEFAULT_LEVEL,
        device: str = "auto",
        allowUnvalidated: bool = False,
        swap_repair: bool = False,
        volumes: bool = True,
        timeout: Optional[float] = None,
        progress: Optional[Callable[[Any], Any]] = None,
        runtime: str = "auto",
        segmentation: Optional[Any] = None,
    ) -> list[StudyOutcome]:
        chosen = blocking_call.chosen_modules(modules)
        with _temporary_folder() as folder:
            request = AnalysisRequest(
                tuple(with_labels(study, segmentation, folder) for study in studies),
                *(chosen, level, device, allowUnvalidated),
                *(volumes, timeout, swap_repair, runtime),
            )
            job = MeasureJob(slicer.mrmlScene, request, scratch=Path(slicer.app.temporaryPath))
            return blocking_call.measure(job, slicer.app.processEvents, progress)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Yield a folder for copies of nodes, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="mimir-", dir=slicer.app.temporaryPath) as folder:
        yield Path(folder)


class MIMIRTest(ScriptedLoadableModuleTest):
    """The tests that need Slicer itself; see ``MIMIRLib.slicer_tests``."""

    def runTest(self) -> None:
        """Run all tests."""
        self.test_in_slicer()

    def test_in_slicer(self) -> None:
        """All tests of ``MIMIRLib.slicer_tests`` pass."""
        from MIMIRLib.slicer_tests import run_all

        self.assertTrue(run_all().wasSuccessful())  # noqa: PT009
