"""React to the user, without Qt.

The widget calls the presenter's methods. The presenter shows the outcome through ``View``
and lets ``Services`` do the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Optional

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.request import AnalysisRequest
from MIMIRLib.analysis.scan_job import ScanOutcome
from MIMIRLib.analysis.scene_studies import Chosen
from MIMIRLib.engine.add_module_job import AddModuleJob
from MIMIRLib.errors import error_for_user
from MIMIRLib.job import Job
from MIMIRLib.presenter.current_job import CurrentJob
from MIMIRLib.presenter.finding_list import FindingList
from MIMIRLib.presenter.first_steps import PHANTOM_MODULE, not_in_list, try_it
from MIMIRLib.presenter.module_picker import ModulePicker
from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.panel_words import panel_words
from MIMIRLib.presenter.protocols import Services, View
from MIMIRLib.presenter.result_browser import ResultBrowser
from MIMIRLib.presenter.results_presenter import ResultsPresenter
from MIMIRLib.presenter.runs import Runs
from MIMIRLib.presenter.scene_choice import SceneChoice, scene_choice
from MIMIRLib.presenter.study_picker import EXCHANGED, StudyPicker, study_title
from MIMIRLib.presenter.study_scans import StudyScans
from MIMIRLib.translate import tr as _

if TYPE_CHECKING:
    from MIMIRLib.parameter_node import MIMIRParameterNode


class Presenter:
    """The panel's behaviour.

    Args:
        view: The panel's widgets.
        services: The rest of the module.
        results: The scene's results.

    Attributes:
        results: Reacts to the user in the list of results.
    """

    def __init__(self, view: View, services: Services, results: ResultBrowser) -> None:
        self._view, self._services = view, services
        self._outcomes: dict[str, ScanOutcome] = {}
        self.results = ResultsPresenter(
            view.results, results, self._outcomes, services.install_for_pdf
        )
        self.results.said.connect(self._show_message)
        self._scans = StudyScans(services.scan_job, self._outcomes)
        self._checks = StudyScans(services.check_job, self._outcomes)
        for readings in (self._scans, self._checks):
            readings.scanned.connect(self._show_scan)
            readings.ended.connect(self._note_scans_end)
        self._studies, self._modules = StudyPicker(self._outcomes), ModulePicker()
        self._findings = FindingList()
        self._parameters: Optional[MIMIRParameterNode] = None
        self._database_error = self._new_database = ""
        self._message = ""
        self._exchanged_volumes: set[str] = set()
        self._current = CurrentJob()
        self._current.started.connect(self._note_start)
        self._current.progressed.connect(self.update)
        self._current.ended.connect(self._note_end)
        self._current.refused.connect(self._show_message)
        self._runs = Runs(view, services, self.results, self._current, self._titles)
        self._runs.listed.connect(self.update)

    # Changes of the scene, the database and the disk.

    def use(self, parameters: Optional[MIMIRParameterNode]) -> None:
        """Use the choices of a scene; None before the scene closes."""
        self._parameters = parameters
        if parameters is not None:
            self._studies.choose(parameters.study_uids)
            self._modules.choose(parameters.module_names)
            self._view.show_options(parameters)
            self._view.studies.show(self._studies.rows)
            self._view.modules.show(self._modules.rows)
            self._scan()
        self.update()

    def forget_scene(self) -> None:
        """Take back what was said about a scene that was closed."""
        self._message = ""
        self._view.show_failures(())

    def update(self) -> None:
        """Update the panel's state and the selected study's findings."""
        self._view.show_state(self._state())
        if self._findings.show(self._studies.findings):
            self._view.findings.show(self._findings.rows)

    def refresh_studies(self) -> None:
        """List the database's studies again."""
        self._studies.list(())
        self._database_error = self._attempt(self._list_studies)
        self._runs.look()
        self._view.studies.show(self._studies.rows)
        self._scan()
        self.update()

    def read_again(self) -> None:
        """List the database's studies again, and read files that have changed."""
        self._look_again()
        self.refresh_studies()

    def refresh_modules(self) -> None:
        """List the inference modules again."""
        self._message = self._attempt(self._modules.refresh) or self._message
        self._view.modules.show(self._modules.rows)
        self.update()

    def refresh_results(self) -> None:
        """List the scene's results again."""
        self.results.refresh()
        self.update()

    # Actions on studies.

    def filter_studies(self, text: str) -> None:
        """Show only the studies with all words of a text."""
        self._studies.filter(text)
        self._view.studies.filter(self._studies.pattern)
        self.update()

    def tick_study(self, study_uid: str, ticked: bool) -> None:
        """Note that a study was ticked or unticked."""
        self.tick_studies((study_uid,), ticked)

    def tick_studies(self, study_uids: Sequence[str], ticked: bool) -> None:
        """Note that studies were ticked or unticked."""
        for study_uid in study_uids:
            self._studies.tick(study_uid, ticked)
        refused = {entry.study_uid for entry in self._studies.refused if ticked}
        for study_uid in refused.intersection(study_uids):
            del self._outcomes[study_uid]
            self._look_again(study_uid)
            self._show_scan(study_uid)
        self._save_choices()

    def select_study(self, study_uid: str) -> None:
        """Read a study's headers and describe it."""
        self._studies.select(study_uid)
        self._scan()
        self.update()

    def select_finding(self, key: str) -> None:
        """Describe a finding of the selected study, and show its place."""
        self._findings.select(key)
        self._view.findings.describe(self._findings.text, self._findings.picture)
        self.results.jump(self._findings.place)

    def tick_shown_studies(self) -> None:
        """Tick all complete studies that match the filter."""
        self._studies.tick_shown()
        self._view.studies.show(self._studies.rows)
        self._save_choices()

    def tick_no_study(self) -> None:
        """Clear all ticks."""
        self._studies.choose(())
        self._view.studies.show(self._studies.rows)
        self._save_choices()

    def import_studies(self, paths: Sequence[str]) -> None:
        """Import folders or zip archives into the DICOM database."""
        if paths:
            self._current.start(lambda: self._import_job(paths))

    def create_database(self) -> None:
        """Make a DICOM database where the panel says."""
        self._show_message(self._attempt(self._services.create_database))
        self.refresh_studies()

    def try_it(self) -> None:
        """Install what is missing, import the phantom, measure and show it."""
        if self._parameters is not None:
            self._view.show_failures(())
            runtime = self._parameters.runtime
            self._current.start(
                lambda: try_it(
                    self._services, lambda: self._runs.install_job(runtime), self._measure_phantom
                )
            )

    def tick_only(self, study_uids: Sequence[str]) -> None:
        """Tick only these studies, chosen in another module of Slicer; select the first."""
        if self._current.is_running:
            return
        self.refresh_studies()
        self._message = not_in_list(study_uids, self._studies.entries)
        self._tick_listed(study_uids)

    # Actions on inference modules.

    def tick_module(self, name: str, ticked: bool) -> None:
        """Note that an inference module was ticked or unticked."""
        self.tick_modules((name,), ticked)

    def tick_modules(self, names: Sequence[str], ticked: bool) -> None:
        """Note that inference modules were ticked or unticked."""
        for name in names:
            self._modules.tick(name, ticked)
        self._save_choices()

    def select_module(self, name: str) -> None:
        """Describe an inference module."""
        self._modules.select(name)
        self.update()

    def add_module(self, path: str) -> None:
        """Add an inference module from a folder or zip archive."""
        if path:
            self._current.start(lambda: AddModuleJob(path))

    def _install_and_add(self, source: str) -> None:
        """Install what the runtime lacks if the user agrees, then add the inference module."""
        runtime = self._parameters.runtime if self._parameters is not None else "auto"
        if self._services.lacks_packages(runtime):
            self._current.start(
                lambda: self._runs.install_job(runtime), then=lambda: self.add_module(source)
            )

    def _take_new_modules(self) -> None:
        """List the inference modules again; tick and select those that are new."""
        before = {module.name for module in self._modules.usable}
        self.refresh_modules()
        self._modules.choose_new(before)
        self._view.modules.show(self._modules.rows)
        if self._modules.selected is not None:
            self._view.modules.select(self._modules.selected.name)
        self._save_choices()

    def remove_module(self) -> None:
        """Delete the selected inference module, if the user added it and agrees."""
        module = self._modules.selected
        question = _(
            "Remove the inference module {name}? Its files are deleted from this computer."
        )
        if module is None or not self._services.ask(question.format(name=module.name)):
            return
        self._show_message(self._attempt(self._modules.remove))
        self.refresh_modules()

    def verify_module(self) -> None:
        """Compare the selected inference module's files with their hashes."""
        self._show_message(self._attempt(self._modules.verify))

    def set_option(self, name: str, value: Any) -> None:
        """Set an option; ``name`` is one of those of ``MIMIRParameterNode``."""
        if self._parameters is not None and getattr(self._parameters, name) != value:
            setattr(self._parameters, name, value)
            self.update()

    def choose_node(self, name: str, node: Any) -> None:
        """Choose a volume or a segmentation of the scene; ``name`` as in ``MIMIRParameterNode``.

        While a job is running, new results take the places of old ones: the parameters follow.
        """
        if not self._current.is_running:
            self.set_option(name, node)

    # Jobs.

    def apply(self) -> None:
        """Measure the ticked studies, and the volumes chosen in the scene."""
        if self._parameters is not None and self._state().can_apply:
            chosen = scene_choice(self._parameters)
            studies: tuple[Chosen, ...] = (*self._studies.ticked, *chosen.pairs)
            self._runs.measure(self._request(), studies, chosen.segmentation)

    def repair(self) -> None:
        """Measure the studies whose water and fat are exchanged, exchanged back."""
        if self._parameters is not None and self._state().can_repair:
            chosen = scene_choice(self._parameters)
            request, studies = self._request(swap_repair=True), self._exchanged(chosen)
            self._runs.measure(request, studies, chosen.segmentation)

    def resume(self) -> None:
        """Go on with the interrupted run."""
        self._runs.resume(self._studies.entries)

    def discard(self) -> None:
        """Delete what is kept of the interrupted run."""
        self._runs.discard()
        self.update()

    @property
    def is_waiting(self) -> bool:
        """True if a step would find nothing to do at once."""
        return self._current.is_waiting

    def step(self) -> None:
        """Do one step of the current job, or else of reading studies; for a timer."""
        if self._current.is_running:
            self._current.step()
        else:
            self._scans.step()
            self._checks.step()

    def cancel(self) -> None:
        """Cancel the running job."""
        self._current.cancel()

    def close(self) -> None:
        """Cancel everything, before the panel is closed."""
        self.cancel()
        self._scans.cancel()
        self._checks.cancel()

    def _titles(self) -> Mapping[str, str]:
        return {entry.study_uid: study_title(entry) for entry in self._studies.entries}

    def _list_studies(self) -> None:
        self._new_database = self._services.new_database_folder()
        if not self._new_database:
            self._studies.list(self._services.studies())

    def _import_job(self, paths: Sequence[str]) -> Job:
        self._services.need_database()
        return self._services.import_job(paths)

    def _measure_phantom(self, study_uid: str) -> MeasureJob:
        self.refresh_modules()
        self.refresh_studies()
        self._modules.choose((PHANTOM_MODULE,))
        self._view.modules.show(self._modules.rows)
        self._tick_listed((study_uid,))
        request = replace(self._request(), repeat=True)
        return self._runs.measure_job(request, self._studies.ticked)

    def _tick_listed(self, study_uids: Sequence[str]) -> None:
        """Tick only these of the listed studies; if there are none, all ticks stay."""
        listed = [e.study_uid for e in self._studies.entries if e.study_uid in study_uids]
        if listed:
            self._studies.choose(listed)
            self._studies.select(listed[0])
            self._view.studies.show(self._studies.rows)
        self._save_choices()

    def _request(self, swap_repair: bool = False) -> AnalysisRequest:
        """Return what the user has chosen; there must be parameters."""
        parameters = self._parameters
        assert parameters is not None
        return AnalysisRequest(
            (),
            tuple(module.name for module in self._modules.ticked),
            parameters.level,
            parameters.device,
            parameters.allow_unvalidated,
            parameters.volumes,
            swap_repair=swap_repair,
            runtime=parameters.runtime,
            repeat=False,
        )

    def _exchanged(self, chosen: SceneChoice) -> tuple[Chosen, ...]:
        """Return the ticked studies, and the volumes chosen, whose water and fat are exchanged."""
        pairs = (pair for pair in chosen.pairs if pair.key in self._exchanged_volumes)
        return (*self._studies.exchanged, *pairs)

    def _note_end(self, job: Job) -> None:
        if isinstance(job, MeasureJob):
            failed = (failure.key for failure in job.failures if failure.code == EXCHANGED)
            self._exchanged_volumes.update(failed)
        self._scan()
        if self._parameters is not None:
            self._view.show_options(self._parameters)
        self._show_message(job.summary)
        if isinstance(job, AddModuleJob):
            self._take_new_modules()
            if job.needs_packages:
                self._install_and_add(job.source)

    def _note_start(self) -> None:
        self._scan()
        self.update()

    def _scan(self) -> None:
        """Read the ticked and the selected studies' headers, and check the ticked ones' images.

        This goes on in the background. Images are not checked while a job is running.
        """
        self._scans.want(self._studies.wanted)
        self._checks.want(self._studies.unchecked if not self._current.is_running else ())

    def _look_again(self, study_uid: str = "") -> None:
        self._scans.look_again(study_uid)
        self._checks.look_again(study_uid)

    def _show_scan(self, study_uid: str) -> None:
        outcome = self._outcomes.get(study_uid)
        if outcome is not None and not outcome.is_checked:  # its files are new or have changed
            self._checks.look_again(study_uid)
        self._studies.note_scan()
        row = self._studies.row(study_uid)
        if row is not None:
            self._view.studies.update(row)
        self._scan()
        self.update()

    def _note_scans_end(self, job: Job) -> None:
        if job.error is not None:
            self._view.show_log_line(job.summary)
        self.update()

    def _save_choices(self) -> None:
        if self._parameters is not None:
            self._parameters.study_uids = sorted(self._studies.chosen)
            self._parameters.module_names = sorted(self._modules.chosen)
        self._scan()
        self.update()

    def _attempt(self, action: Callable[[], Optional[str]]) -> str:
        """Return the sentence of an action, or of its error."""
        try:
            return action() or ""
        except Exception as error:  # the panel shows every error
            return panel_words(str(error_for_user(error)))

    def _show_message(self, sentence: str) -> None:
        self._message = panel_words(sentence)
        self.update()

    def _state(self) -> PanelState:
        studies, modules, parameters = self._studies, self._modules, self._parameters
        run = self._runs.interrupted
        ticked, shown = studies.ticked, studies.shown
        of_scene = SceneChoice() if parameters is None else scene_choice(parameters)
        return PanelState(
            database_error=self._database_error,
            new_database=self._new_database,
            studies=len(studies.entries),
            shown=len(shown),
            ticked=len(ticked),
            ticked_hidden=sum(entry.study_uid not in shown for entry in ticked),
            ticked_doubtful=len(studies.doubtful),
            ticked_refused=len(studies.refused),
            ticked_exchanged=len(self._exchanged(of_scene)),
            ticked_unread=len(studies.unread),
            ticked_unchecked=len(studies.unchecked),
            of_scene=len(of_scene.pairs),
            scene_problem=of_scene.problem,
            has_segmentation=of_scene.segmentation is not None,
            is_scanning=self._scans.is_running or self._checks.is_running,
            study_text=studies.description,
            modules_ticked=len(modules.ticked),
            only_demonstration=all(row.is_demonstration for row in modules.ticked),
            own_module_selected=modules.selected is not None and modules.selected.is_own,
            module_text=modules.description,
            volumes=parameters is not None and parameters.volumes,
            allow_unvalidated=parameters is not None and parameters.allow_unvalidated,
            progress=self._current.progress,
            interrupted=None if run is None else (len(run.conditions), run.done),
            message=self._message,
            results=self.results.count,
        )
