"""A job in short steps: its states, its signals, its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mimir_engine import MimirError
from MIMIRLib import job as job_module
from MIMIRLib.job import Job, JobState, Progress, Work

FIRST, SECOND = Progress(0.0, "first"), Progress(0.5, "second")


class Count(Job):
    """Yields two kinds of progress and a pause between, and notes its end."""

    def __init__(self, action: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.action = action
        self.closed = 0

    def _work(self) -> Work:
        try:
            yield FIRST
            yield None
            self.action()
            yield SECOND
        finally:
            self.closed += 1

    def _summary(self) -> str:
        return "Counted."


def fail() -> None:
    raise MimirError("NO_DICOM", "there is nothing", "Look elsewhere.")


def over(job: Job) -> list[JobState]:
    """Start a job; the states at its end, one for each time it says so."""
    states: list[JobState] = []
    job.ended.connect(lambda ended: states.append(ended.state))
    job.run(lambda: None)
    return states


def test_a_job_is_done_when_its_work_ends() -> None:
    job, heard = Count(), []
    job.progressed.connect(heard.append)
    assert job.state is JobState.IDLE
    assert over(job) == [JobState.DONE]
    assert heard == [FIRST, SECOND]
    assert (job.summary, job.error, job.closed) == ("Counted.", None, 1)


def test_a_step_ends_where_the_work_waits() -> None:
    job, heard = Count(), []
    job.progressed.connect(heard.append)
    job.start()
    job.step()
    assert heard == [FIRST]
    job.step()
    assert (heard, job.state) == ([FIRST, SECOND], JobState.DONE)


def test_a_step_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "MAX_STEP_S", 0.0)
    job, heard = Count(), []
    job.progressed.connect(heard.append)
    job.start()
    for _ in range(3):
        job.step()
    assert (heard, job.state) == ([FIRST, SECOND], JobState.RUNNING)


def test_before_the_start_and_after_the_end_nothing_happens() -> None:
    job = Count()
    job.step()
    job.cancel()
    assert job.state is JobState.IDLE
    assert over(job) == [JobState.DONE]
    job.step()
    job.cancel()
    assert job.state is JobState.DONE


def test_a_job_is_started_once() -> None:
    job = Count()
    job.run(lambda: None)
    with pytest.raises(RuntimeError, match="once"):
        job.start()


def test_an_error_ends_the_job_and_stays_an_exception() -> None:
    job = Count(fail)
    assert over(job) == [JobState.FAILED]
    assert isinstance(job.error, MimirError)
    assert job.summary == "NO_DICOM: there is nothing. Look elsewhere."
    assert job.log == [job.summary]
    assert job.closed == 1


def test_an_unexpected_error_is_shown_without_its_text() -> None:
    job = Count(lambda: {}["Doe^Jane"])
    assert over(job) == [JobState.FAILED]
    assert job.summary.startswith("INTERNAL_ERROR: MIMIR failed (KeyError).")
    assert "Doe" not in job.summary


def test_cancel_ends_the_job_at_once() -> None:
    job = Count()
    job.start()
    job.step()
    job.cancel()
    assert (job.state, job.closed, job.summary) == (JobState.CANCELLED, 1, "Cancelled.")


def test_a_listener_may_cancel() -> None:
    job = Count()
    job.progressed.connect(lambda progress: job.cancel())
    assert over(job) == [JobState.CANCELLED]
    assert job.closed == 1


def test_a_listener_may_let_the_timer_run() -> None:
    job, heard = Count(), []
    job.progressed.connect(heard.append)
    job.progressed.connect(lambda progress: job.step())
    assert over(job) == [JobState.DONE]
    assert heard == [FIRST, SECOND]


def test_an_interrupt_cancels_the_job() -> None:
    job = Count()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.run(interrupt)
    assert (job.state, job.closed) == (JobState.CANCELLED, 1)
