"""Measure studies: find their files, let the engine measure them, show each one's results as nodes.

Each study is shown as soon as the engine has measured it, while the next ones are measured.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Optional, Union

from MIMIRLib.analysis.conditions import (
    conditions_of,
    is_measured,
    note_conditions,
    settings_of,
)
from MIMIRLib.analysis.progress import ProgressMeter, event_line
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest, source_lines
from MIMIRLib.analysis.run_folder import RunFolder, run_folder
from MIMIRLib.analysis.run_summary import RunCounts, done_sentence, kept_sentence
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess, Event, not_started
from MIMIRLib.engine.requirements import check_installed
from MIMIRLib.errors import mimir_error
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.notifier import Notifier
from MIMIRLib.scene.results import StudyNodes, find_results, show_studies, update_cohort
from MIMIRLib.scene.scene_pair import refer_to_volumes
from MIMIRLib.translate import tr as _

#: Pause between updates of the table of the cohort, as a multiple of the time that one takes.
COHORT_PAUSE = 20
#: Does something step by step, and returns studies.
StudiesInTurn = Generator[Optional[Progress], None, list[StudyRequest]]


class MeasureJob(Job):
    """Measures studies. What is finished stays, also if the job fails or is cancelled.

    Args:
        scene: Scene for the nodes.
        request: Studies, inference modules and options.
        studies: Further studies, looked up step by step because that takes time; a
            ``StudyOutcome`` stands for a study that cannot be measured.
        scratch: Folder for temporary files; by default the system's.
        runs: Folder in which a run survives a crash of Slicer: the same job goes on with it then.
            None for a run that does not.

    Attributes:
        results: Outcomes of the measured studies, at the end in the order of the studies.
        failures: Outcomes of studies that could not be measured.
        earlier: Keys of studies whose results the scene has already; only if not ``repeat``.
        measured: Emits each outcome, when its nodes are in the scene or its reason is known.
    """

    _running: ClassVar[Optional[MeasureJob]] = None

    def __init__(
        self,
        scene: Any,
        request: AnalysisRequest,
        studies: Iterable[Union[StudyRequest, StudyOutcome]] = (),
        scratch: Optional[Path] = None,
        runs: Optional[Path] = None,
    ) -> None:
        super().__init__()
        self.results: list[StudyOutcome] = []
        self.failures: list[StudyOutcome] = []
        self.earlier: list[str] = []
        self.measured = Notifier()
        self._scene, self._request, self._scratch, self._runs = scene, request, scratch, runs
        self._more_studies = studies
        self._conditions: dict[str, str] = {}
        self._cohort_due = 0.0
        self._not_found = self._without_volumes = 0
        self._progress = Progress(0.0, _("Looking up the studies' files"))

    @property
    def counts(self) -> RunCounts:
        """Numbers of studies, once their files were found."""
        return RunCounts(
            len(self._request.studies) + self._not_found,
            len(self.results),
            len(self.earlier),
            len(self.failures),
            self._without_volumes,
        )

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
        import_engine()
        settings = settings_of(self._request)
        studies = yield from self._compare_with_scene(settings)
        if not studies:
            return
        try:
            with ExitStack() as stack:
                run, known = self._open_folder(stack, settings, len(studies))
                left = yield from self._show_known(run, known, studies)
                if left:
                    yield from self._measure(stack, run, left)
        finally:
            self._finish()

    def _find_files(self) -> Work:
        studies = list(self._request.studies)
        yield self._progress
        for study in self._more_studies:
            if isinstance(study, StudyRequest):
                studies.append(study)
            else:
                self._not_found += 1
                self._note_failure(study)
                self._log(f"{study.key}: {study.code}: {study.reason}")
            yield self._progress
        self._request = replace(self._request, studies=tuple(studies))

    def _compare_with_scene(self, settings: str) -> StudiesInTurn:
        """Return the studies to be measured: not those that the scene has with these conditions."""
        studies = []
        for study in self._request.studies:
            conditions = self._conditions[study.key] = conditions_of(study, settings)
            volumes, repeat = self._request.volumes, self._request.repeat
            if not repeat and is_measured(self._scene, study, conditions, volumes):
                self.earlier.append(study.key)
            else:
                studies.append(study)
            yield self._progress
        return studies

    def _open_folder(
        self, stack: ExitStack, settings: str, count: int
    ) -> tuple[RunFolder, frozenset[str]]:
        """Open the folder of the run; the stack removes it.

        Returns:
            The folder, and the keys of the studies that an interrupted run may have left there.
        """
        conditions = {failure.key: "" for failure in self.failures} | self._conditions
        # What was made of nodes cannot be found again after a crash.
        for study in self._request.studies:
            if study.is_of_scene:
                conditions.pop(study.key, None)
        try:
            if self._runs is None:
                path = Path(tempfile.mkdtemp(prefix="mimir-", dir=self._scratch))
                run = RunFolder(path, self._request, conditions)
            else:
                run = run_folder(self._runs, self._request, settings, conditions)
            known = stack.enter_context(run.held())
            _check_disk_space(self._request, count, run.path)
        except OSError as error:
            raise not_started(error) from error
        return run, known

    def _show_known(
        self, run: RunFolder, known: frozenset[str], studies: Sequence[StudyRequest]
    ) -> StudiesInTurn:
        """Show the studies that an interrupted run has measured; return the others."""
        self._progress = Progress(0.0, _("Showing the results"))
        left = []
        for study in studies:
            if study.key in known and run.has(study.name):
                try:
                    yield from self._show(run, study)
                    continue
                except import_engine().MimirError:
                    self._log(_("{study}: to be measured again").format(study=study.name))
            run.drop(study.name)
            left.append(study)
        return left

    def _measure(self, stack: ExitStack, run: RunFolder, studies: Sequence[StudyRequest]) -> Work:
        """Let the engine measure studies, and show each when it is done.

        Its last event counts, not the exit code: PythonSlicer turns a crash into exit code 1.
        """
        arguments = self._request.arguments(run.results, run.details)
        process = stack.enter_context(EngineProcess(arguments, source_lines(studies)))
        meter = ProgressMeter([study.name for study in studies])
        pending = {study.name: study for study in studies}
        self._progress = meter.progress
        yield self._progress
        for event in process.follow(self._log):
            if event is None:
                yield meter.late()
                continue
            self._log(event_line(event))
            self._progress = meter.take(event)
            yield self._progress
            if event["event"] == "study":
                yield from self._take(run, pending.pop(event["name"]), event)
        if not meter.is_finished:
            raise process.failure()
        for failure in run.failures(pending):  # the engine does not try again what ended a reader
            self._note_failure(failure)

    def _take(self, run: RunFolder, study: StudyRequest, event: Event) -> Work:
        """Show a study that is done, or note why it failed."""
        if event["state"] == "failed":
            self._note_failure(StudyOutcome(study.key, code=event["code"], reason=event["reason"]))
            return
        try:
            yield from self._show(run, study)
        except import_engine().MimirError as error:
            self._note_failure(StudyOutcome(study.key, code=error.code, reason=error.reason))

    def _show(self, run: RunFolder, study: StudyRequest) -> Work:
        from mimir_engine.cohort.study_folder import read_study_folder

        folder = read_study_folder(run.study(study.name), study.name)
        volumes = self._request.volumes and run.has_volumes(study.name)
        made = show_studies(self._scene, [(folder, study.subject)], volumes, cohort=False)
        with closing(made) as nodes:
            for _node in nodes:
                yield self._progress
        result = folder.result
        shown = find_results(self._scene, result.name) or StudyNodes()
        note_conditions(shown.table, self._conditions[study.key])
        refer_to_volumes(shown.table, study.nodes)
        found = result.measurements, result.findings, result.flags
        outcome = StudyOutcome(study.key, *found, shown, direct=result.direct, labels=result.labels)
        self.results.append(outcome)
        self._without_volumes += self._request.volumes and not volumes
        run.drop_volumes(study.name)
        self._update_cohort()
        self.measured.emit(outcome)

    def _note_failure(self, failure: StudyOutcome) -> None:
        self.failures.append(failure)
        self.measured.emit(failure)

    def _finish(self) -> None:
        """Put outcomes into the order of the studies, and show the cohort."""
        places = {study.key: place for place, study in enumerate(self._request.studies)}
        for outcomes in (self.results, self.failures):
            outcomes.sort(key=lambda outcome: places.get(outcome.key, -1))
        if self.results and not self._scene.IsClosing():
            update_cohort(self._scene)

    def _update_cohort(self) -> None:
        """Update the table of the cohort, unless that would take much of the time."""
        began = time.monotonic()
        if began >= self._cohort_due:
            update_cohort(self._scene)
            ended = time.monotonic()
            self._cohort_due = ended + COHORT_PAUSE * (ended - began)

    @property
    def summary(self) -> str:
        """The outcome in a sentence or two, once the job is over."""
        if self.error is not None:
            return f"{self.error} {kept_sentence(self.counts)}"
        return super().summary

    def _summary(self) -> str:
        return done_sentence(self.counts)

    def _cancelled_summary(self) -> str:
        return _("Cancelled. {kept}").format(kept=kept_sentence(self.counts))

    def _clean_up(self) -> None:
        MeasureJob._running = None


def _check_disk_space(request: AnalysisRequest, count: int, folder: Path) -> None:
    needed, free = request.bytes_needed(count), shutil.disk_usage(folder).free
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
