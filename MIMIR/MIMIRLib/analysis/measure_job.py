"""Measure studies: find their files, let the engine measure them, show the results as nodes."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Optional, Union

from MIMIRLib.analysis.progress import ProgressMeter, event_line
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess, Event, not_started
from MIMIRLib.engine.requirements import check_installed
from MIMIRLib.errors import mimir_error
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.scene.results import StudyNodes, find_results, show_studies
from MIMIRLib.translate import tr as _

#: Largest number of nodes per study, for the progress while results are shown.
MAX_NODES_PER_STUDY = 8

#: Studies that the engine has measured, each with the folder of its results.
StudyFolders = list[tuple[StudyRequest, Path]]


@dataclass(frozen=True)
class StudyOutcome:
    """The measurements and nodes of one study, or the reason why it has none.

    Attributes:
        key: Study UID or file name.
        measurements: The networks' measurements, in full precision.
        findings: What was corrected or noticed, each an engine's ``Finding``.
        flags: Codes of findings and measurements.
        nodes: Its nodes in the scene.
        code: Error code if it could not be measured; else empty.
        reason: Why it could not be measured; empty if it was.
        direct: Quantities measured in the images, without a network: ``name``, ``value``, ``unit``.
    """

    key: str
    measurements: tuple[Any, ...] = ()
    findings: tuple[Any, ...] = ()
    flags: tuple[str, ...] = ()
    nodes: StudyNodes = field(default_factory=StudyNodes)
    code: str = ""
    reason: str = ""
    direct: tuple[Any, ...] = ()


class MeasureJob(Job):
    """Measures studies; if it fails or is cancelled, the scene is unchanged.

    Args:
        scene: Scene for the nodes.
        request: Studies, inference modules and options.
        studies: Further studies, looked up step by step because that takes time; a
            ``StudyOutcome`` stands for a study that cannot be measured.
        scratch: Folder for temporary files; by default the system's.

    Attributes:
        results: Outcomes of the measured studies, when the job is done.
        failures: Outcomes of studies that could not be measured.
    """

    _running: ClassVar[Optional[MeasureJob]] = None

    def __init__(
        self,
        scene: Any,
        request: AnalysisRequest,
        studies: Iterable[Union[StudyRequest, StudyOutcome]] = (),
        scratch: Optional[Path] = None,
    ) -> None:
        super().__init__()
        self.results: list[StudyOutcome] = []
        self.failures: list[StudyOutcome] = []
        self._scene, self._request, self._scratch = scene, request, scratch
        self._more_studies = studies

    def start(self) -> None:
        """Start.

        Raises:
            MimirError: ``RUN_GOES_ON`` if another run has not ended yet.
        """
        if MeasureJob._running is not None:
            raise mimir_error(
                "RUN_GOES_ON",
                _("a run is already in progress"),
                _("Wait until it ends, or press Cancel in the module MIMIR."),
            )
        super().start()
        MeasureJob._running = self

    def _work(self) -> Work:
        yield from self._find_files()
        if not self._request.studies and self.failures:
            return
        self._request.check()
        if self._request.modules:
            check_installed(self._request.runtime)
        with ExitStack() as stack:
            process = self._start_engine(stack)
            folders = yield from self._measure(process)
            yield from self._show(folders)

    def _find_files(self) -> Work:
        progress = Progress(0.0, _("Looking up the studies' files"))
        studies = list(self._request.studies)
        yield progress
        for study in self._more_studies:
            if isinstance(study, StudyRequest):
                studies.append(study)
            else:
                self.failures.append(study)
                self._log(f"{study.key}: {study.code}: {study.reason}")
            yield progress
        self._request = replace(self._request, studies=tuple(studies))

    def _start_engine(self, stack: ExitStack) -> EngineProcess:
        """Start the engine on a temporary folder; the stack ends the one and removes the other."""
        import_engine()
        try:
            folder = Path(tempfile.mkdtemp(prefix="mimir-", dir=self._scratch))
            stack.callback(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
            _check_disk_space(self._request, folder)
        except OSError as error:
            raise not_started(error) from error
        arguments = self._request.arguments(folder / "results", folder / "details")
        return stack.enter_context(EngineProcess(arguments, self._request.source_lines()))

    def _measure(self, process: EngineProcess) -> Generator[Optional[Progress], None, StudyFolders]:
        """Follow the engine until it has ended.

        Its last event counts, not the exit code: PythonSlicer turns a crash into exit code 1.
        """
        outcomes: dict[str, Event] = {}
        meter = ProgressMeter([study.name for study in self._request.studies])
        yield meter.progress
        for event in process.follow(self._log):
            if event is None:
                yield meter.late()
                continue
            self._log(event_line(event))
            if event["event"] == "study":
                outcomes[event["name"]] = event
            yield meter.take(event)
        if not meter.is_finished:
            raise process.failure()
        return self._sort(outcomes)

    def _sort(self, outcomes: Mapping[str, Event]) -> StudyFolders:
        """Note failures and return folders, in the order of the studies; they end in any order."""
        folders: StudyFolders = []
        for study in self._request.studies:
            event = outcomes[study.name]
            if event["state"] == "done":
                folders.append((study, Path(event["details"])))
            else:
                failure = StudyOutcome(study.key, code=event["code"], reason=event["reason"])
                self.failures.append(failure)
        return folders

    def _show(self, folders: StudyFolders) -> Work:
        from mimir_engine.cohort.study_folder import read_study_folder

        studies = [(read_study_folder(path, study.name), study) for study, path in folders]
        shown = show_studies(
            self._scene,
            [(folder, study.subject) for folder, study in studies],
            self._request.volumes,
        )
        total = MAX_NODES_PER_STUDY * len(studies)
        with closing(shown):
            for count, _node in enumerate(shown):
                yield Progress(min(count / total, 1.0), _("Showing the results"))
        self.results = [self._outcome(folder.result, study.key) for folder, study in studies]

    def _outcome(self, result: Any, key: str) -> StudyOutcome:
        nodes = find_results(self._scene, result.name) or StudyNodes()
        found = result.measurements, result.findings, result.flags
        return StudyOutcome(key, *found, nodes, direct=result.direct)

    @property
    def summary(self) -> str:
        """The outcome in a sentence or two, once the job is over."""
        if self.error is not None:
            return _("{error} The scene is unchanged.").format(error=self.error)
        return super().summary

    def _summary(self) -> str:
        done, failed = len(self.results), len(self.failures)
        measured = {0: _("No study measured"), 1: _("1 study measured")}.get(
            done, _("{count} studies measured").format(count=done)
        )
        if not failed:
            return f"{measured}."
        return _("{measured}; {count} could not be measured. The reasons are listed below.").format(
            measured=measured, count=failed
        )

    def _cancelled_summary(self) -> str:
        return _("Cancelled. The scene is unchanged.")

    def _clean_up(self) -> None:
        MeasureJob._running = None


def _check_disk_space(request: AnalysisRequest, folder: Path) -> None:
    needed, free = request.bytes_needed(), shutil.disk_usage(folder).free
    if needed <= free:
        return
    remedy = _("Free disk space, or choose fewer studies.")
    if request.volumes:
        remedy = _("Free disk space, choose fewer studies, or do not show the volumes.")
    raise mimir_error(
        "NO_DISK_SPACE",
        _(
            "the results temporarily need some {needed:.1f} GB, but only {free:.1f} GB are free in"
            " the folder for temporary files '{folder}'"
        ).format(needed=needed / 1e9, free=free / 1e9, folder=folder.parent),
        remedy,
    )
