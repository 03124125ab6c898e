"""Run several jobs one after another as one job, with one progress and one Cancel."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from MIMIRLib.job import Job, JobState, Progress, Work

Result = TypeVar("Result")


@dataclass(frozen=True)
class Link:
    """A job of a chain.

    Attributes:
        share: Its share of the whole time.
        make: Makes the job when its turn comes.
    """

    share: float
    make: Callable[[], Job]


class JobChain(Job):
    """Runs jobs one after another; ends with the first that fails or is cancelled.

    Its summary is that of the last job that was started.

    >>> job = JobChain((Link(1, make_import), Link(9, make_measurement)))

    Attributes:
        current: The job that was started last; None before the start.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__()
        self.current: Optional[Job] = None
        self._links = links

    def _work(self) -> Work:
        whole, done = sum(link.share for link in self._links), 0.0
        for link in self._links:
            job = self.current = link.make()
            begin, done = done, done + link.share / whole
            yield from scaled(_run(job), begin, done)
            if job.error is not None:
                raise job.error
            if job.state is not JobState.DONE:
                self.cancel()
                yield None

    def _summary(self) -> str:
        return self.current.summary if self.current is not None else ""

    def _cancelled_summary(self) -> str:
        if self.current is not None and self.current.state is JobState.CANCELLED:
            return self.current.summary
        return super()._cancelled_summary()


def _run(job: Job) -> Work:
    """Run a job as a part of another's work; if that ends early, the job is cancelled."""
    news: list[Progress] = []
    job.progressed.connect(news.append)
    job.start()
    try:
        while not job.is_over:
            job.step()
            yield from news[-1:]
            news.clear()
            yield None
    finally:
        job.cancel()


def scaled(
    work: Generator[Optional[Progress], None, Result], begin: float, end: float
) -> Generator[Optional[Progress], None, Result]:
    """Yield the progress of a part of the work as progress of all; close the part at the end.

    Args:
        work: The part.
        begin: Progress of all when the part begins, 0 to 1.
        end: Progress of all when it ends.

    Returns:
        What the part returns.
    """
    fraction = begin
    with closing(work):
        while True:
            try:
                progress = next(work)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            if progress is None:
                yield None
                continue
            if progress.fraction is not None:
                fraction = begin + (end - begin) * progress.fraction
            yield Progress(fraction, progress.sentence)
