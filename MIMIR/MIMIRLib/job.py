"""Run a long task in short steps, so that Slicer stays responsive."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Optional

from MIMIRLib.errors import error_for_user
from MIMIRLib.notifier import Notifier
from MIMIRLib.translate import tr as _

#: Longest time of one step (seconds), unless a single action takes longer.
MAX_STEP_S = 0.03
#: Pause between the steps of `Job.run` (seconds).
PAUSE_S = 0.01


@dataclass(frozen=True)
class Progress:
    """The progress of a job.

    Attributes:
        fraction: Share of the work that is done, 0 to 1; None if unknown.
        sentence: The same for people.
    """

    fraction: Optional[float]
    sentence: str


#: The work of a job. It yields its progress, or None while it waits for a process or thread.
Work = Generator[Optional[Progress], None, None]


class JobState(Enum):
    """The state of a job."""

    IDLE = "idle"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job:
    """A task of the panel or the console: a measurement run, an import, an added module.

    A subclass implements ``_work``. Its ``finally`` blocks run in every case, also if the job is
    cancelled.

    >>> job.start()
    >>> while not job.is_over:  # in Slicer, a timer calls ``step``
    ...     job.step()
    >>> print(job.summary)

    Attributes:
        state: The state.
        error: The reason if the job failed; else None.
        is_waiting: True while the work waits for a process or thread.
        log: All lines of the log.
        progressed: Emits each ``Progress``.
        logged: Emits each line of the log.
        ended: Emits the job, once.
    """

    def __init__(self) -> None:
        self.state = JobState.IDLE
        self.error: Optional[Exception] = None
        self.is_waiting = False
        self.log: list[str] = []
        self.progressed, self.logged, self.ended = Notifier(), Notifier(), Notifier()
        self._steps = self._work()
        self._is_stepping = self._is_cancelled = False

    @property
    def is_over(self) -> bool:
        """True if nothing more will happen."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def summary(self) -> str:
        """The outcome in a sentence or two, once the job is over."""
        if self.state is JobState.CANCELLED:
            return self._cancelled_summary()
        return self._summary() if self.error is None else str(self.error)

    def start(self) -> None:
        """Start; to be called once."""
        if self.state is not JobState.IDLE:
            raise RuntimeError("a job can be started only once")
        self.state = JobState.RUNNING

    def step(self) -> None:
        """Do a little of the work; does nothing before the start and after the end.

        A listener may run Slicer's event loop, and with it a timer that calls this again.
        """
        if self.state is not JobState.RUNNING or self._is_stepping:
            return
        self._is_stepping = True
        try:
            state = self._advance()
        finally:
            self._is_stepping = False
        if state is JobState.RUNNING and self._is_cancelled:
            state = JobState.CANCELLED
        if state is not JobState.RUNNING:
            self._end(state)

    def cancel(self) -> None:
        """End immediately; if a listener calls this, at the end of its step."""
        if self.state is JobState.RUNNING:
            self._is_cancelled = True
            if not self._is_stepping:
                self._end(JobState.CANCELLED)

    def run(self, idle: Callable[[], Any]) -> None:
        """Start and wait for the end.

        Args:
            idle: Called between steps: ``slicer.app.processEvents``.
        """
        self.start()
        try:
            while not self.is_over:
                self.step()
                idle()
                time.sleep(PAUSE_S)
        finally:
            self.cancel()  # if the user has interrupted

    def _advance(self) -> JobState:
        """Work until the time is up or the work waits; return the next state."""
        deadline = time.monotonic() + MAX_STEP_S
        try:
            for progress in self._steps:
                self.is_waiting = progress is None
                if progress is not None:
                    self.progressed.emit(progress)
                if progress is None or self._is_cancelled or time.monotonic() >= deadline:
                    return JobState.RUNNING
        except Exception as error:  # jobs report every error in the panel
            self.error = error_for_user(error)
            if str(self.error) not in self.log:  # the engine may have written it there
                self._log(str(self.error))
            return JobState.FAILED
        return JobState.DONE

    def _log(self, line: str) -> None:
        self.log.append(line)
        self.logged.emit(line)

    def _end(self, state: JobState) -> None:
        self.state = state
        try:
            self._steps.close()
        finally:
            self._clean_up()
        self.ended.emit(self)

    def _work(self) -> Work:
        """Do the work; yield as ``Work`` says."""
        raise NotImplementedError

    def _summary(self) -> str:
        """Return the summary of a job that is done."""
        raise NotImplementedError

    def _cancelled_summary(self) -> str:
        return _("Cancelled.")

    def _clean_up(self) -> None:
        """Do what remains at every end."""
