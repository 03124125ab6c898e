"""Keep the one job that runs at a time, and its progress."""

from __future__ import annotations

from typing import Callable, Optional

from MIMIRLib.errors import error_for_user
from MIMIRLib.job import Job, JobState, Progress
from MIMIRLib.notifier import Notifier


class CurrentJob:
    """The job of the panel.

    Attributes:
        progress: Its progress; None while no job runs.
        started: Emits nothing, when a job has started or could not be started.
        progressed: Emits nothing, when there is more progress.
        ended: Emits each job that has ended.
        refused: Emits the reason why a job could not be started.
    """

    def __init__(self) -> None:
        self.progress: Optional[Progress] = None
        self.started, self.progressed = Notifier(), Notifier()
        self.ended, self.refused = Notifier(), Notifier()
        self._job: Optional[Job] = None

    @property
    def is_running(self) -> bool:
        """True while a job runs."""
        return self._job is not None

    @property
    def is_waiting(self) -> bool:
        """True if a step would find nothing to do at once."""
        return self._job is None or self._job.is_waiting

    def start(self, make: Callable[[], Job], then: Optional[Callable[[], None]] = None) -> None:
        """Start a job, unless another is running.

        Args:
            make: Returns the job.
            then: Called when the job is done, but not if it fails or is cancelled.
        """
        if self._job is not None:
            return
        try:
            job = make()
            job.progressed.connect(self._note_progress)
            job.ended.connect(self._note_end)
            if then is not None:
                job.ended.connect(lambda job: then() if job.state is JobState.DONE else None)
            job.start()
            self._job, self.progress = job, Progress(None, "")
        except Exception as error:  # the panel shows every error
            self.refused.emit(str(error_for_user(error)))
        self.started.emit()

    def step(self) -> None:
        """Do a little of its work."""
        if self._job is not None:
            self._job.step()

    def cancel(self) -> None:
        """Cancel it."""
        if self._job is not None:
            self._job.cancel()

    def _note_progress(self, progress: Progress) -> None:
        self.progress = progress
        self.progressed.emit()

    def _note_end(self, job: Job) -> None:
        self._job = self.progress = None
        self.ended.emit(job)
