"""Measuring in one call, for scripts: it waits for the results; Slicer stays usable meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Callable, Optional, Union

from MIMIRLib.analysis.progress import Progress
from MIMIRLib.analysis.workflow import Stage, StudyResult, Workflow
from MIMIRLib.engine import inference_modules

#: Pause (seconds) between two looks at the engine.
PAUSE_S = 0.02


def run(
    workflow: Workflow,
    idle: Callable[[], Any],
    progress: Optional[Callable[[Progress], Any]] = None,
) -> list[StudyResult]:
    """Let a workflow run to its end.

    Args:
        workflow: Not begun yet.
        idle: Called every now and then: ``slicer.app.processEvents``.
        progress: Told how far it is.

    Returns:
        A result a study. One that could not be measured has no measurements but a ``code`` and a
        ``reason``.

    Raises:
        MimirError: Where nothing could be measured, with the engine's sentence.
    """
    if progress is not None:
        workflow.progressed.connect(progress)
    workflow.start()
    try:
        while not workflow.stage.is_over:
            workflow.step()
            idle()
            time.sleep(PAUSE_S)
    finally:
        workflow.cancel()  # where the user has interrupted
    return _results(workflow)


def chosen_modules(modules: Optional[Union[str, Sequence[str]]]) -> tuple[str, ...]:
    """Names or folders of inference modules; where none is given, the only one there is.

    Raises:
        MimirError: ``NO_MODULES`` where there is none, or several to choose from.
    """
    if modules:
        return (modules,) if isinstance(modules, str) else tuple(modules)
    found = [row.name for row in inference_modules.list_rows() if not row.problem]
    if len(found) == 1:
        return (found[0],)
    from mimir_engine import MimirError

    if not found:
        raise MimirError("NO_MODULES", "there is no inference module", "Add one in the panel.")
    raise MimirError(
        "NO_MODULES",
        f"there are {len(found)} inference modules: {', '.join(found)}",
        f"Choose, e.g. modules=[{found[0]!r}].",
    )


def _results(workflow: Workflow) -> list[StudyResult]:
    from mimir_engine import MimirError

    if workflow.stage is Stage.CANCELLED:
        raise MimirError("CANCELLED", "the run was cancelled; the scene is as it was before")
    if workflow.stage is Stage.FAILED:
        code, _, reason = workflow.error.partition(": ")
        raise MimirError(code, reason.rstrip("."))
    failed = [StudyResult(f.key, code=f.code, reason=f.reason) for f in workflow.failures]
    if not workflow.results:
        first, rest = failed[0], len(failed) - 1
        others = f" (and {rest} more studies could not be measured)" if rest else ""
        raise MimirError(first.code, f"study {first.key}: {first.reason.rstrip('.')}{others}")
    return [*workflow.results, *failed]
