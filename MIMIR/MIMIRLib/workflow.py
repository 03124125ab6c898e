"""One press of Apply: studies are gathered, measured in the engine's process, shown as nodes.

Each step is short, so that a timer can call it while the user goes on working.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Optional, Union

from MIMIRLib.analysis.progress import Progress
from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.run import AnalysisRun, RunState, StudyFailure
from MIMIRLib.problem import problem_sentence
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
        measurements: The engine's ``MeasurementDetails``, in full precision.
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
        from mimir_engine.report.details import read_details

        done = self._run.details if self._run is not None else []
        studies = [(read_details(folder), study) for study, folder in done]
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
        nodes = find_results(self._scene, details.name) or StudyNodes()
        return StudyResult(key, details.measurements, details.findings, details.flags, nodes)

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
