"""Start runs that measure studies, show what they find, and go on with an interrupted one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, Optional

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.run_folder import RunFolder, discard_run, interrupted_run
from MIMIRLib.analysis.scene_studies import Chosen, key_of
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.database.study_list import StudyEntry
from MIMIRLib.job import Job
from MIMIRLib.notifier import Notifier
from MIMIRLib.presenter.current_job import CurrentJob
from MIMIRLib.presenter.panel_words import panel_words
from MIMIRLib.presenter.protocols import Services, View
from MIMIRLib.presenter.results_presenter import ResultsPresenter
from MIMIRLib.scene.scene_pair import ScenePair

#: What Apply asked for: options, and the keys of the studies.
Measured = tuple[AnalysisRequest, tuple[str, ...]]


class Runs:
    """The runs of the panel.

    Args:
        view: The panel's widgets.
        services: The rest of the module.
        results: The panel's results.
        current: The job of the panel.
        titles: Returns the names of the listed studies, by UID.

    Attributes:
        interrupted: A run that was interrupted by a crash; None if there is none.
        listed: Emits nothing, when there is a new result or failure.
    """

    def __init__(
        self,
        view: View,
        services: Services,
        results: ResultsPresenter,
        current: CurrentJob,
        titles: Callable[[], Mapping[str, str]],
    ) -> None:
        self.interrupted: Optional[RunFolder] = None
        self.listed = Notifier()
        self._view, self._services, self._results = view, services, results
        self._current, self._titles = current, titles
        self._repeatable: Optional[Measured] = None
        self._titles_of_scene: Mapping[str, str] = {}

    def look(self) -> None:
        """Look for a run that was interrupted."""
        self.interrupted = interrupted_run(self._services.runs_folder())

    def measure(
        self, request: AnalysisRequest, studies: Sequence[Chosen], segmentation: Optional[Any]
    ) -> None:
        """Measure studies, but for those whose results the scene has.

        If the last run found that none was left, the same request measures all of them again.

        Args:
            request: Inference modules and options.
            studies: Listed studies, or volumes of the scene.
            segmentation: Node with labels of the one study; None without one.
        """
        asked = request, tuple(map(key_of, studies))
        if asked == self._repeatable:
            request = replace(request, repeat=True)
        self._start(request, studies, segmentation, asked)

    def resume(self, entries: Sequence[StudyEntry]) -> None:
        """Go on with the interrupted run.

        Args:
            entries: The listed studies.
        """
        run = self.interrupted
        if run is not None and not self._current.is_running:
            listed = {entry.study_uid: entry for entry in entries}
            studies = [listed.get(key, key) for key in run.conditions]
            self.interrupted = None
            self._start(replace(run.request, repeat=False), studies)

    def discard(self) -> None:
        """Delete what is kept of the interrupted run."""
        if self.interrupted is not None:
            discard_run(self.interrupted)
            self.interrupted = None

    def install_job(self, runtime: str) -> Job:
        """Return a job that installs what a runtime for networks lacks."""
        job = self._services.install_job(runtime)
        job.logged.connect(self._view.show_log_line)
        return job

    def measure_job(
        self,
        request: AnalysisRequest,
        studies: Sequence[Chosen],
        segmentation: Optional[Any] = None,
        asked: Optional[Measured] = None,
    ) -> MeasureJob:
        """Return a job that measures studies and lists each result when it is there.

        Args:
            request: Inference modules and options.
            studies: Listed studies, the UIDs of others, or volumes of the scene.
            segmentation: Node with labels of the one study; None without one.
            asked: What Apply asked for; None if the job was not started by Apply.
        """
        job = self._services.measure_job(request, studies, segmentation)
        self._titles_of_scene = {s.key: s.title for s in studies if isinstance(s, ScenePair)}

        def note(outcome: StudyOutcome) -> None:
            if outcome.code:
                self._show_failures(job)
            elif len(job.results) == 1:
                self._results.show_new(outcome.key)
            else:  # leaves the user's choice alone
                self._results.add()
            self.listed.emit()

        def end(_job: MeasureJob) -> None:
            self._repeatable = asked if job.counts.is_nothing_left else None
            self._show_failures(job)
            self._results.refresh()

        job.logged.connect(self._view.show_log_line)
        job.measured.connect(note)
        job.ended.connect(end)
        return job

    def _start(
        self,
        request: AnalysisRequest,
        studies: Sequence[Chosen],
        segmentation: Optional[Any] = None,
        asked: Optional[Measured] = None,
    ) -> None:
        if request.modules and self._services.lacks_packages(request.runtime):
            self._current.start(
                lambda: self.install_job(request.runtime),
                then=lambda: self._start(request, studies, segmentation, asked),
            )
            return
        self._repeatable = None
        self._view.show_failures(())
        self._current.start(lambda: self.measure_job(request, studies, segmentation, asked))

    def _show_failures(self, job: MeasureJob) -> None:
        titles = {**self._titles(), **self._titles_of_scene}
        self._view.show_failures(
            [f"{titles.get(f.key, f.key)}: {f.code}: {panel_words(f.reason)}" for f in job.failures]
        )
