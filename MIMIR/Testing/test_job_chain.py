"""Several jobs as one."""

from __future__ import annotations

from MIMIRLib.job import Job, JobState, Progress, Work
from MIMIRLib.job_chain import JobChain, Link


class Steps(Job):
    """Makes a few steps; may fail, and notes its end."""

    def __init__(self, name: str, ends: list[str], error: str = "") -> None:
        super().__init__()
        self.name, self.ends, self.text = name, ends, error

    def _work(self) -> Work:
        try:
            yield Progress(0.0, self.name)
            yield None
            if self.text:
                raise RuntimeError(self.text)
            yield Progress(1.0, self.name)
            yield None
        finally:
            self.ends.append(self.name)

    def _summary(self) -> str:
        return f"{self.name} is done."

    def _cancelled_summary(self) -> str:
        return f"{self.name} was cancelled."


def chain(ends: list[str], error: str = "") -> tuple[JobChain, list[tuple[float, str]]]:
    seen: list[tuple[float, str]] = []
    job = JobChain(
        (
            Link(1, lambda: Steps("first", ends, error)),
            Link(3, lambda: Steps("second", ends)),
        )
    )
    job.progressed.connect(lambda p: seen.append((p.fraction, p.sentence)))
    return job, seen


def test_jobs_run_in_turn_with_one_progress() -> None:
    ends: list[str] = []
    job, seen = chain(ends)
    job.run(lambda: None)
    assert job.state is JobState.DONE
    assert job.summary == "second is done."
    assert ends == ["first", "second"]
    assert seen == [(0.0, "first"), (0.25, "first"), (0.25, "second"), (1.0, "second")]


def test_the_first_that_fails_ends_it() -> None:
    ends: list[str] = []
    job, _seen = chain(ends, error="broken")
    job.run(lambda: None)
    assert job.state is JobState.FAILED
    assert "INTERNAL_ERROR" in job.summary
    assert ends == ["first"]


def test_cancel_ends_the_current_one_and_starts_no_other() -> None:
    ends: list[str] = []
    job, seen = chain(ends)
    job.start()
    while not seen:
        job.step()
    job.cancel()
    assert job.state is JobState.CANCELLED
    assert job.summary == "first was cancelled."
    assert ends == ["first"]


def test_a_current_one_that_is_cancelled_by_itself_cancels_all() -> None:
    ends: list[str] = []
    job, _seen = chain(ends)
    job.progressed.connect(lambda p: job.current.cancel())
    job.run(lambda: None)
    assert job.state is JobState.CANCELLED
    assert ends == ["first"]
