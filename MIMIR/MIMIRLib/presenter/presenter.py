"""What the panel does when its user does something, without Qt.

The widget calls the presenter's methods; the presenter tells the widget, through :class:`View`,
what to show, and lets :class:`Services` do the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, Optional, Union

from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.workflow import Stage, Workflow
from MIMIRLib.engine.import_engine import problem_sentence
from MIMIRLib.presenter.module_picker import Adding, ModulePicker
from MIMIRLib.presenter.panel_state import Facts, PanelState, panel_state
from MIMIRLib.presenter.protocols import Job, JobProgress, Parameters, Services, View
from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.presenter.rows import Cell, Row
from MIMIRLib.presenter.study_picker import StudyPicker, is_complete, study_title


class Presenter:
    """The panel's behaviour.

    Args:
        view: What shows it.
        services: What does it.
        results: The scene's results.
    """

    def __init__(self, view: View, services: Services, results: ResultBrowser) -> None:
        self._view, self._services, self._results = view, services, results
        self._studies, self._modules = StudyPicker(), ModulePicker()
        self._parameters: Optional[Parameters] = None
        self._database_problem = ""
        self._message = ""
        self._job: Optional[Job] = None
        self._progress: Optional[JobProgress] = None

    # What the scene, the database and the disk tell.

    def use(self, parameters: Optional[Parameters]) -> None:
        """Take the choices of a scene; None while there is no scene."""
        self._parameters = parameters
        if parameters is not None:
            self._studies.choose(parameters.study_uids)
            self._modules.choose(parameters.module_names)
            self._view.show_options(parameters)
            self._view.show_studies(self._studies.rows)
            self._view.show_modules(self._modules.rows)
        self._update()

    def refresh_studies(self) -> None:
        """List the database's studies anew."""
        self._database_problem = ""
        try:
            self._studies.list(self._services.studies())
        except Exception as error:  # the edge: it becomes a sentence
            self._studies.list(())
            self._database_problem = problem_sentence(error)
        self._view.show_studies(self._studies.rows)
        self._update()

    def refresh_modules(self) -> None:
        """List the inference modules anew."""
        problem = self._attempt(self._modules.refresh)
        if problem:
            self._say(problem)
        self._view.show_modules(self._modules.rows)
        self._view.show_module(self._modules.description)
        self._update()

    def refresh_results(self) -> None:
        """List the scene's results anew."""
        self._results.refresh()
        self._view.show_results(self._results.titles, self._results.selected)
        self._view.show_measurements(self._results.rows, self._results.flag_sentences)
        self._update()

    # What the user does with studies.

    def filter_studies(self, text: str) -> None:
        """Leave only the studies with all words of a text."""
        self._studies.filter(text)
        self._view.filter_studies(self._studies.pattern)
        self._update()

    def tick_study(self, study_uid: str, ticked: bool) -> None:
        """Note that a study's box was ticked or cleared."""
        self._studies.tick(study_uid, ticked)
        self._keep_choices()

    def tick_shown_studies(self) -> None:
        """Tick all complete studies that the filter leaves."""
        self._studies.tick_shown()
        self._view.show_studies(self._studies.rows)
        self._keep_choices()

    def tick_no_study(self) -> None:
        """Take all ticks away."""
        self._studies.choose(())
        self._view.show_studies(self._studies.rows)
        self._keep_choices()

    def take_in(self, paths: Sequence[str]) -> None:
        """Import folders or zip archives into the DICOM database."""
        if paths:
            self._begin(lambda: self._services.take_in(paths))

    # With inference modules and options.

    def tick_module(self, name: str, ticked: bool) -> None:
        """Note that an inference module's box was ticked or cleared."""
        self._modules.tick(name, ticked)
        self._keep_choices()

    def select_module(self, name: str) -> None:
        """Describe an inference module."""
        self._modules.select(name)
        self._view.show_module(self._modules.description)
        self._update()

    def add_module(self, path: str) -> None:
        """Add an inference module from a folder or zip archive."""
        if path:
            self._begin(lambda: Adding(path))

    def remove_module(self) -> None:
        """Delete the selected inference module, if it is the user's own."""
        self._say(self._attempt(self._modules.remove))
        self.refresh_modules()

    def verify_module(self) -> None:
        """Compare the selected inference module's files with their hashes."""
        self._say(self._attempt(self._modules.verify))

    def set_option(self, name: str, value: Union[float, str, bool]) -> None:
        """Keep an option; ``name`` is one of those of :class:`Parameters`."""
        if self._parameters is not None and getattr(self._parameters, name) != value:
            setattr(self._parameters, name, value)
            self._update()

    # With what takes time.

    def apply(self) -> None:
        """Measure the ticked studies."""
        parameters = self._parameters
        if parameters is None or not self._state().can_apply:
            return
        missing = self._attempt(self._services.requirements)
        if missing:
            self._say(missing)
        else:
            self._view.show_failures(())
            self._begin(lambda: self._workflow(parameters))

    def step(self) -> None:
        """Go on a little with what goes on; for a timer."""
        if self._job is not None:
            self._job.step()

    def cancel(self) -> None:
        """End what goes on."""
        if self._job is not None:
            self._job.cancel()

    # With results.

    def select_result(self, key: str) -> None:
        """Show a study's results."""
        self._results.select(key)
        self._view.show_measurements(self._results.rows, self._results.flag_sentences)

    def arrange_views(self) -> None:
        """Show the selected study's slices, chart and table in Slicer's views."""
        self._view.arrange_views(self._results.nodes)

    def export(self, path: str) -> None:
        """Write all results to a CSV file."""
        if path:
            self._say(self._attempt(lambda: self._results.export(path)))

    def _workflow(self, parameters: Parameters) -> Workflow:
        request = AnalysisRequest(
            (),
            tuple(module.name for module in self._modules.ticked),
            parameters.level,
            parameters.device,
            parameters.allow_unvalidated,
            parameters.volumes,
        )
        workflow = self._services.measure(request, self._studies.ticked)
        workflow.logged.connect(self._view.show_log_line)
        workflow.ended.connect(lambda _: self._show_outcome(workflow))
        return workflow

    def _show_outcome(self, workflow: Workflow) -> None:
        titles = {entry.study_uid: study_title(entry) for entry in self._studies.entries}
        rows = [
            Row(f.key, (Cell(titles.get(f.key, f.key)), Cell(f.reason, tooltip=f.code)))
            for f in workflow.failures
        ]
        self._view.show_failures(rows)
        if workflow.stage is Stage.DONE and workflow.results:
            self._results.select(workflow.results[0].key)
            self.refresh_results()
            self.arrange_views()

    def _begin(self, make: Callable[[], Job]) -> None:
        """Start a job, unless another goes on."""
        if self._job is not None:
            return
        try:
            job = self._job = make()
            job.progressed.connect(self._note_progress)
            job.ended.connect(self._note_end)
            job.start()
        except Exception as error:  # the edge: it becomes a sentence
            self._job = None
            self._message = problem_sentence(error)
        self._update()

    def _note_progress(self, progress: JobProgress) -> None:
        self._progress = progress
        self._update()

    def _note_end(self, *_: object) -> None:
        job, self._job, self._progress = self._job, None, None
        self._say(job.summary if job is not None else "")
        if isinstance(job, Adding):
            self.refresh_modules()

    def _keep_choices(self) -> None:
        if self._parameters is not None:
            self._parameters.study_uids = sorted(self._studies.chosen)
            self._parameters.module_names = sorted(self._modules.chosen)
        self._update()

    def _attempt(self, action: Callable[[], Optional[str]]) -> str:
        """What an action says, or what went wrong with it."""
        try:
            return action() or ""
        except Exception as error:  # the edge: it becomes a sentence
            return problem_sentence(error)

    def _say(self, sentence: str) -> None:
        self._message = sentence
        self._update()

    def _update(self) -> None:
        self._view.show_state(self._state())

    def _state(self) -> PanelState:
        studies, modules, parameters = self._studies, self._modules, self._parameters
        ticked, shown = studies.ticked, studies.shown
        return panel_state(
            Facts(
                database_problem=self._database_problem,
                studies=len(studies.entries),
                shown=len(shown),
                ticked=len(ticked),
                ticked_hidden=sum(entry.study_uid not in shown for entry in ticked),
                ticked_doubtful=sum(not is_complete(entry) for entry in ticked),
                modules=len(modules.usable),
                modules_ticked=len(modules.ticked),
                only_demonstration=all(module.demonstration for module in modules.ticked),
                own_module_selected=modules.selected is not None and modules.selected.is_own,
                any_module_selected=modules.selected is not None,
                volumes=parameters is not None and parameters.volumes,
                allow_unvalidated=parameters is not None and parameters.allow_unvalidated,
                busy=self._job is not None,
                fraction=None if self._progress is None else self._progress.fraction,
                progress="" if self._progress is None else self._progress.sentence,
                message=self._message,
                results=len(self._results.titles),
            )
        )
