"""One press of Apply: studies are gathered, measured in the engine's process, shown as nodes.

Each step is short, so that a timer can call it while the user goes on working.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Optional, Union

from MIMIRLib.analysis.progress import Progress, ProgressMeter, event_line
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.engine import requirements
from MIMIRLib.engine.import_engine import (
    EngineUnavailable,
    import_engine,
    is_bundled,
    problem_sentence,
)
from MIMIRLib.engine.process import EngineProcess, Event
from MIMIRLib.scene.results import StudyNodes, find_results, show_studies
from MIMIRLib.signal import Signal

#: Nodes that a study gets at the most, to tell how far showing is.
NODES_A_STUDY = 6

#: Goes on a little whenever asked.
Work = Generator[None, None, None]


class Stage(Enum):
    """How far a workflow is; it ends in one of the last three."""

    IDLE = "idle"
    GATHERING = "gathering"
    MEASURING = "measuring"
    SHOWING = "showing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (Stage.DONE, Stage.FAILED, Stage.CANCELLED)


@dataclass(frozen=True)
class StudyResult:
    """What a study gave.

    Attributes:
        key: Study UID or file name.
        measurements: The engine's ``Measurement``s, in full precision.
        findings: What was mended or noticed while reading, each with ``code`` and ``sentence``.
        flags: Codes of findings and measurements.
        nodes: Its nodes in the scene.
        code, reason: Why it could not be measured; empty where it was.
    """

    key: str
    measurements: tuple[Any, ...] = ()
    findings: tuple[Any, ...] = ()
    flags: tuple[str, ...] = ()
    nodes: StudyNodes = field(default_factory=StudyNodes)
    code: str = ""
    reason: str = ""


class Workflow:
    """From studies to nodes, step by step; where it fails or is cancelled, the scene is as before.

    >>> workflow = Workflow(scene, AnalysisRequest(studies, ("phantom",)))
    >>> workflow.start()
    >>> while not workflow.stage.is_over:  # from a timer, in Slicer
    ...     workflow.step()
    >>> print(workflow.summary)

    Args:
        scene: Where the nodes go.
        request: What to measure and how.
        studies: More studies, gathered one a step since their files take time to look up; a
            ``StudyFailure`` stands for one that cannot be measured.
        scratch: Where temporary files go; by default the system's place.

    Attributes:
        stage: How far it is.
        results: Of the studies done, when it is done.
        failures: Studies without result, each with its reason.
        error: Why all of it failed, as ``CODE: what is wrong. What to do.``; else empty.
        progressed: Emits each new ``Progress``.
        logged: Emits each line of the log.
        ended: Emits the last stage, once.
    """

    _going_on: Optional[Workflow] = None

    def __init__(
        self,
        scene: Any,
        request: AnalysisRequest,
        studies: Iterable[Union[StudyRequest, StudyFailure]] = (),
        scratch: Optional[Path] = None,
    ) -> None:
        self.stage = Stage.IDLE
        self.results: list[StudyResult] = []
        self.failures: list[StudyFailure] = []
        self.error = ""
        self.progressed, self.logged, self.ended = Signal(), Signal(), Signal()
        self._scene = scene
        self._request = request
        self._scratch = scratch
        self._run: Optional[AnalysisRun] = None
        self._work = self._steps(studies)
        self._is_stepping = self._is_cancelled = False

    @property
    def summary(self) -> str:
        """What came of it, in a sentence or two."""
        if self.stage is Stage.CANCELLED:
            return "Cancelled. The scene is as it was before."
        if self.stage is Stage.FAILED:
            return f"{self.error} The scene is as it was before."
        return _counted(len(self.results), len(self.failures))

    def start(self) -> None:
        """Begin.

        Raises:
            MimirError: ``RUN_GOES_ON`` where another one has not ended yet.
        """
        if Workflow._going_on is not None:
            from mimir_engine import MimirError

            raise MimirError(
                "RUN_GOES_ON",
                "MIMIR is measuring other studies at this moment",
                "Wait until it is done, or press Cancel in the module MIMIR.",
            )
        Workflow._going_on = self
        self.stage = Stage.GATHERING
        self._tell(Progress(0.0, 0, 0, None, "Looking up the studies' files"))

    def step(self) -> None:
        """Go on a little; does nothing before the start and after the end."""
        if self.stage is Stage.IDLE or self.stage.is_over or self._is_stepping:
            return
        self._is_stepping = True  # a listener may keep the event loop alive, and with it a timer
        try:
            next(self._work)
        except StopIteration:
            self._end(Stage.DONE)
        except Exception as error:  # the edge: whatever is wrong becomes a sentence
            self.error = self.error or problem_sentence(error)
            self._end(Stage.FAILED)
        finally:
            self._is_stepping = False
        if self._is_cancelled:
            self.cancel()

    def cancel(self) -> None:
        """End at once; the scene is as it was."""
        if self.stage is Stage.IDLE or self.stage.is_over:
            return
        self._is_cancelled = True
        if not self._is_stepping:
            self._end(Stage.CANCELLED)

    def _steps(self, studies: Iterable[Union[StudyRequest, StudyFailure]]) -> Work:
        yield from self._gather(studies)
        if not self._request.studies and self.failures:
            return
        self.stage = Stage.MEASURING
        yield from self._measure()
        self.stage = Stage.SHOWING
        yield from self._show()

    def _gather(self, studies: Iterable[Union[StudyRequest, StudyFailure]]) -> Work:
        gathered = list(self._request.studies)
        for study in studies:
            if isinstance(study, StudyFailure):
                self.failures.append(study)
                self.logged.emit(f"{study.key}: {study.code}: {study.reason}")
            else:
                gathered.append(study)
            yield
        self._request = replace(self._request, studies=tuple(gathered))

    def _measure(self) -> Work:
        run = self._run = AnalysisRun(self._request, self._scratch)
        run.progressed.connect(self._tell)
        run.logged.connect(self.logged.emit)
        run.start()
        while not run.state.is_over:
            yield
            run.poll()
        if run.state is not RunState.FINISHED:
            self.error = run.error
            raise RuntimeError(run.error)
        self.failures += run.failures

    def _show(self) -> Work:
        from mimir_engine.cohort.study_folder import read_study_folder

        done = self._run.details if self._run is not None else []
        studies = [(read_study_folder(folder), study) for study, folder in done]
        total, sentence = len(studies), "Showing the results"
        shown = show_studies(
            self._scene,
            [(details, study.subject) for details, study in studies],
            self._request.volumes,
        )
        with closing(shown):
            for count, _node in enumerate(shown):
                fraction = min(count / (NODES_A_STUDY * total), 1.0)
                self._tell(Progress(fraction, total, total, None, sentence))
                yield
        self.results = [self._result(details, study.key) for details, study in studies]

    def _result(self, details: Any, key: str) -> StudyResult:
        result = details.result
        nodes = find_results(self._scene, result.name) or StudyNodes()
        return StudyResult(key, result.measurements, result.findings, result.flags, nodes)

    def _tell(self, progress: Progress) -> None:
        self.progressed.emit(progress)

    def _end(self, stage: Stage) -> None:
        Workflow._going_on = None
        self.stage = stage
        self._work.close()  # takes back what has been shown, unless all of it was
        if self._run is not None:
            self._run.close()
        self.ended.emit(stage)


def _counted(done: int, failed: int) -> str:
    """How many studies were measured, and how many not."""
    measured = "1 study measured" if done == 1 else f"{done} studies measured"
    if not failed:
        return f"{measured}."
    rest = "1 could not be measured" if failed == 1 else f"{failed} could not be measured"
    return f"{measured if done else 'No study measured'}; {rest}: the reason is listed below."


KILLED = (-9, 137)
"""Exit codes of a process that the system ended, mostly for want of memory."""


class RunState(Enum):
    """Where a run is on its way."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (RunState.FINISHED, RunState.CANCELLED, RunState.FAILED)


@dataclass(frozen=True)
class StudyFailure:
    """Why a study has no measurements: its key, a stable code, and a reason of one line."""

    key: str
    code: str
    reason: str


class AnalysisRun:
    """One run of the engine over the studies of a request.

    >>> run = AnalysisRun(request)
    >>> run.progressed.connect(lambda progress: print(progress.sentence))
    >>> run.start()
    >>> while not run.state.is_over:  # from a timer, in Slicer
    ...     run.poll()
    >>> for study, folder in run.details:
    ...     print(read_study_folder(folder).result.measurements)
    >>> run.close()

    What is wrong with one study is one of ``failures``; what is wrong with all is ``error``.

    Args:
        request: What to analyse.
        scratch: Where the run makes its temporary folder; by default the system's place.

    Attributes:
        state: See there.
        progress: How far it is.
        details: Studies that are done, with the folder of each; it is there until ``close``.
        failures: Studies that could not be measured.
        error: ``CODE: what is wrong. What to do.`` where the state is ``FAILED``, else empty.
        log: All lines so far.
        progressed: Emits each new progress.
        logged: Emits each line of the log.
        ended: Emits the last state, once; from within ``start`` where that fails.
    """

    def __init__(self, request: AnalysisRequest, scratch: Optional[Path] = None) -> None:
        self.request = request
        self.state = RunState.IDLE
        self.details: list[tuple[StudyRequest, Path]] = []
        self.failures: list[StudyFailure] = []
        self.error = ""
        self.log: list[str] = []
        self.progressed, self.logged, self.ended = Signal(), Signal(), Signal()
        self._scratch = scratch
        self._studies = {study.name: study for study in request.studies}
        self._meter = ProgressMeter(list(self._studies))
        self._process: Optional[EngineProcess] = None
        self._remove_folder: Optional[weakref.finalize[..., Any]] = None
        self._stop_process: Optional[weakref.finalize[..., Any]] = None
        self._has_results = False
        self._is_polling = False

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return self._meter.progress

    def start(self) -> None:
        """Start the engine, unless something stands in the way; to be called once."""
        if self.state is not RunState.IDLE:
            raise RuntimeError("a run is started once")
        self.state = RunState.STARTING
        problem = self.request.problem() or requirements.problem() or self._begin()
        if problem:
            self._fail(problem)
        else:
            self.progressed.emit(self.progress)

    def poll(self) -> None:
        """Take what the engine has said since the last call; to be called from a timer."""
        if self._process is None or self.state.is_over or self._is_polling:
            return
        self._is_polling = True  # a listener may keep the event loop alive, and with it the timer
        try:
            self._take_news(self._process)
        finally:
            self._is_polling = False

    def cancel(self) -> None:
        """End the run at once and remove all that it has made."""
        if self.state is RunState.IDLE or self.state.is_over:
            return
        self.details.clear()
        self._clean_up()
        self._end(RunState.CANCELLED)

    def close(self) -> None:
        """Remove the temporary folder with all results; a run that goes on is cancelled."""
        self.cancel()
        self._clean_up()

    def _begin(self) -> str:
        """Make the folder and start the engine; what stood in the way, or nothing."""
        try:
            folder = Path(tempfile.mkdtemp(prefix="mimir-", dir=self._scratch))
            self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            problem = _disk_problem(self.request, folder)
            if problem:
                return problem
            import_engine()
            self._process = EngineProcess(
                self.request.arguments(folder / "results", folder / "details"),
                self.request.source_lines(),
            )
            self._process.start()
            self._stop_process = weakref.finalize(self, self._process.cancel)
        except EngineUnavailable as error:
            return str(error)
        except OSError as error:
            return (
                f"ENGINE_NOT_STARTED: the engine can't be started ({error.strerror}:"
                f" '{error.filename}'). Check that this folder or program is there and may be used;"
                " Slicer's application settings say where temporary files go."
            )
        return ""

    def _take_news(self, process: EngineProcess) -> None:
        is_running = process.is_running  # asked first: nothing can come after a no
        for line in process.log_lines():
            self._tell(line)
        for event in process.poll():
            if not self.state.is_over:  # a listener may cancel at any time
                self._tell(event_line(event))
            if not self.state.is_over:
                self._take(event)
        if not is_running and not self.state.is_over:
            self._conclude(process)

    def _take(self, event: Event) -> None:
        if event["event"] == "engine":
            problem = _engine_problem(event)
            if problem:
                self._fail(problem)
                return
        elif event["event"] == "run":
            self.state = RunState.RUNNING
        elif event["event"] == "study":
            self._take_study(event)
        elif event["event"] == "finished":
            self._has_results = True
        self._meter.take(event)
        self.progressed.emit(self.progress)

    def _take_study(self, event: Event) -> None:
        study = self._studies[event["name"]]
        if event["state"] == "done":
            self.details.append((study, Path(event["details"])))
        else:
            self.failures.append(StudyFailure(study.key, event["code"], event["reason"]))

    def _conclude(self, process: EngineProcess) -> None:
        """The last event counts, not the exit code: PythonSlicer turns a crash into a plain 1."""
        if self._has_results:
            self._end(RunState.FINISHED)
        else:
            self._fail(process.error or _end_problem(process.exit_code, self.progress))

    def _fail(self, problem: str) -> None:
        self.error = problem
        if problem not in self.log:  # the engine's own last word stands there already
            self._tell(problem)
        if self._stop_process is not None:
            self._stop_process()
        self._end(RunState.FAILED)

    def _tell(self, line: str) -> None:
        self.log.append(line)
        self.logged.emit(line)

    def _clean_up(self) -> None:
        for clean_up in (self._stop_process, self._remove_folder):
            if clean_up is not None:
                clean_up()

    def _end(self, state: RunState) -> None:
        self.state = state
        self.ended.emit(state)


def _disk_problem(request: AnalysisRequest, folder: Path) -> str:
    needed, free = request.bytes_needed(), shutil.disk_usage(folder).free
    if needed <= free:
        return ""
    or_else = ", or leave the volumes out" if request.volumes else ""
    return (
        f"NO_DISK_SPACE: the results need some {needed / 1e9:.1f} GB for a while, and there are"
        f" {free / 1e9:.1f} GB where temporary files go ('{folder.parent}'). Make room, or choose"
        f" fewer studies{or_else}."
    )


def _engine_problem(event: Event) -> str:
    """Whether another engine than the bundled one has started."""
    bundled = import_engine()
    if is_bundled(event["path"]) and event["version"] == bundled.__version__:
        return ""
    return (
        f"ENGINE_SHADOWED: the engine that has started is version {event['version']} in"
        f" '{event['path']}', not {bundled.__version__} in '{bundled.__path__[0]}'. Restart Slicer;"
        " if that doesn't help, run pip_uninstall('mimir-engine') in its Python console."
    )


def _end_problem(exit_code: Optional[int], progress: Progress) -> str:
    if exit_code in KILLED:
        how = "was ended by the system"
        remedy = "Most often memory runs out: close other programs, then try again."
    else:
        how = f"ended unexpectedly (exit code {exit_code})"
        remedy = "The log may tell why. Memory may have run out: close other programs, try again."
    return (
        f"ENGINE_DIED: the engine {how} when {progress.done} of {progress.total} studies were done."
        f" {remedy}"
    )
