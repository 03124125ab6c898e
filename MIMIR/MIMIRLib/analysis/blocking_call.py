"""Scan or measure in one call, for scripts: the call waits, and Slicer stays responsive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional, Union

from MIMIRLib.analysis.measure_job import MeasureJob
from MIMIRLib.analysis.run_summary import kept_sentence
from MIMIRLib.analysis.scan_job import ScanJob, ScanOutcome
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.engine import inference_modules
from MIMIRLib.errors import mimir_error
from MIMIRLib.job import JobState, Progress
from MIMIRLib.translate import tr as _


def measure(
    job: MeasureJob,
    idle: Callable[[], Any],
    progress: Optional[Callable[[Progress], Any]] = None,
) -> list[StudyOutcome]:
    """Run a job and return its results.

    Args:
        job: The job, not started.
        idle: Called between steps: ``slicer.app.processEvents``.
        progress: Called with each progress.

    Returns:
        One outcome per study. A study that could not be measured has no measurements, but a
        ``code`` and a ``reason``.

    Raises:
        MimirError: If no study could be measured, the run was cancelled (``CANCELLED``) or the
            engine has failed. Studies that were measured by then stay in the scene.
    """
    if progress is not None:
        job.progressed.connect(progress)
    job.run(idle)
    if job.state is JobState.CANCELLED:
        raise mimir_error("CANCELLED", _("the run was cancelled"), kept_sentence(job.counts, False))
    if job.error is not None:
        raise job.error
    if not job.results:
        first, *others = job.failures
        what = _("study {key}: {reason}")
        if others:
            what = _("study {key}: {reason} (and {count} more studies could not be measured)")
        reason = first.reason.removesuffix(".")
        raise mimir_error(first.code, what.format(key=first.key, reason=reason, count=len(others)))
    return [*job.results, *job.failures]


def scan(job: ScanJob, idle: Callable[[], Any]) -> list[ScanOutcome]:
    """Run a job and return its outcomes, also of studies that would be refused.

    Args:
        job: The job, not started.
        idle: Called between steps: ``slicer.app.processEvents``.

    Raises:
        MimirError: If the engine fails.
    """
    job.run(idle)
    if job.error is not None:
        raise job.error
    return job.outcomes


def chosen_modules(modules: Optional[Union[str, Sequence[str]]]) -> tuple[str, ...]:
    """Return the names or folders of inference modules; None stands for the only usable one.

    Raises:
        MimirError: ``NO_MODULES`` if none is usable, or several are.
    """
    if modules is not None:
        return (modules,) if isinstance(modules, str) else tuple(modules)
    names = [row.name for row in inference_modules.list_rows() if row.error is None]
    if len(names) == 1:
        return (names[0],)
    if not names:
        raise mimir_error(
            "NO_MODULES", _("no inference module was found"), _("Add one in the panel.")
        )
    raise mimir_error(
        "NO_MODULES",
        _("there are {count} inference modules: {names}").format(
            count=len(names), names=", ".join(names)
        ),
        _("Choose one, e.g. modules=['{name}'].").format(name=names[0]),
    )
