"""Measurements of many studies by inference modules.

Studies are read in a few threads while the networks work on those already read. Whatever is wrong
with one study is noted under its name, and the others go on.
"""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

import numpy as np
import pydicom

import mimir_engine
from mimir_engine.cohort.events import Clock, Listener
from mimir_engine.cohort.fingerprint import Fingerprint, fingerprint
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.outcome import Cohort, StudyFailure, cohort_of, failure_of, result_of
from mimir_engine.cohort.sources import NamedSource, check_names
from mimir_engine.cohort.study_folder import StudyFolders
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import check_columns, check_projection, module_sha256
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.measuring.one_study import (
    ModulePrediction,
    PreparedStudy,
    check_accepted,
    predict_batch,
    prepare,
)
from mimir_engine.projection.project import PROJECTION_NAME
from mimir_engine.study.finding import Finding

if TYPE_CHECKING:
    from mimir_engine.measuring.network import Predictor

#: Studies predicted together, at the most.
BATCH = 8


@dataclass(frozen=True)
class InferOptions:
    """How studies are predicted.

    Attributes:
        level: Of the intervals.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        allow_unvalidated: Predict also studies that a module was not validated on, and flag them.
        jobs: Studies read at once; each takes some 400 MB while it is.
        overwrite: Start anew in an output folder that holds results.
        folders: Keeps images and measurements of every study, where they are wanted.
    """

    level: float = 0.95
    device: str = "auto"
    allow_unvalidated: bool = False
    jobs: int = 2
    overwrite: bool = False
    folders: Optional[StudyFolders] = None


@dataclass(frozen=True)
class _Predicted:
    """What the ledger keeps of a study that was done."""

    name: str
    eid: str
    instance: str
    findings: tuple[Finding, ...]
    predictions: tuple[ModulePrediction, ...]


@dataclass(frozen=True)
class _Read:
    """A study that waits for the networks, or why it doesn't; its files as they were before that.

    Attributes:
        prepared, failure: One of the two is None.
        accepted: What ``check_accepted`` said of the prepared study.
    """

    name: str
    files: Fingerprint
    prepared: Optional[PreparedStudy]
    accepted: tuple[bool, ...] = ()
    failure: Optional[StudyFailure] = None


_Outcome = Union[_Predicted, StudyFailure]


def infer(
    sources: Sequence[NamedSource],
    modules: Sequence[InferenceModule],
    output: Path,
    options: InferOptions,
    listener: Listener,
) -> Cohort:
    """Predict studies and note each outcome in the ledger of the output folder.

    A study that the ledger holds as done, unchanged since, is not done again; a failed one is.

    Args:
        sources: Studies, of different names.
        modules: At least one inference module.
        output: Folder of the results; made if it is not there.
        options: See there.
        listener: Told of every step.

    Returns:
        Outcomes of all studies of the output folder, those of earlier runs included.

    Raises:
        MimirError: for modules, device and output folder; never for a single study.
    """
    check_names(sources)
    check_columns(modules)
    for module in modules:
        check_projection(module, PROJECTION_NAME)
    run = describe_run(modules, options.device)
    with Ledger(output, run, options.overwrite) as ledger:
        done = _done(ledger, sources, options)
        pending = [source for source in sources if source.name not in done]
        listener(
            {
                "event": "run",
                "studies": len(sources),
                "already_done": len(done),
                "modules": [module.name for module in modules],
                "device": run["device"],
            }
        )
        if pending:
            _infer(pending, modules, ledger, options, listener)
        details = {
            "level": options.level,
            "allow_unvalidated": options.allow_unvalidated,
            "python": platform.python_version(),
        }
        return cohort_of(ledger, modules, options.level, {**run, **details})


def describe_run(modules: Sequence[InferenceModule], device: str) -> dict[str, Any]:
    """What the predictions of a run hang on: versions, modules, projection, device."""
    import torch

    from mimir_engine.measuring.device import choose_device

    return {
        "mimir": mimir_engine.__version__,
        "numpy": np.__version__,
        "pydicom": pydicom.__version__,
        "torch": str(torch.__version__),
        "projection": PROJECTION_NAME,
        "device": choose_device(device).type,
        "modules": [
            {
                "name": module.name,
                "version": module.version,
                "column_prefix": module.column_prefix,
                "sha256": module_sha256(module),
            }
            for module in modules
        ],
    }


def _done(ledger: Ledger, sources: Sequence[NamedSource], options: InferOptions) -> set[str]:
    """Names of the studies that need not be done again.

    Raises:
        MimirError: ``NAME_TAKEN`` where another study goes by the same name.
    """
    asked = {source.name: source.source for source in sources}
    done = set()
    for name, record in ledger.records():
        if name not in asked or "predictions" not in record:
            continue
        now, then = fingerprint(asked[name]), Fingerprint(**record["files"])
        if now.content != then.content and now.place != then.place:
            raise MimirError(
                "NAME_TAKEN",
                f"the results hold another study called '{name}', from '{then.place}'",
                "Choose another folder, or give it a name of its own by --sources.",
            )
        validated = all(said["validated"] for said in record["predictions"])
        kept = options.folders is None or options.folders.has(name)
        if now.content == then.content and (validated or options.allow_unvalidated) and kept:
            done.add(name)
    return done


def _infer(
    sources: Sequence[NamedSource],
    modules: Sequence[InferenceModule],
    ledger: Ledger,
    options: InferOptions,
    listener: Listener,
) -> None:
    """Predict studies a batch at a time; the next are read meanwhile."""
    predictors = _Predictors(modules, options.device)
    clock = Clock(len(sources))
    work = partial(_read, modules=modules, options=options, listener=listener)
    with closing(_ahead(work, sources, options.jobs)) as studies:
        while batch := list(islice(studies, BATCH)):
            for read in batch:
                if read.failure is None:
                    listener({"event": "step", "name": read.name, "step": "predict"})
            for read, outcome in zip(batch, _predicted(batch, predictors)):
                record = {**asdict(outcome), "files": asdict(read.files)}
                ledger.add(read.name, record)
                event = _study_event(outcome, clock)
                if options.folders and isinstance(outcome, _Predicted):
                    result = result_of(read.name, record, modules, options.level)
                    options.folders.keep_result(result, PROJECTION_NAME)
                    event["details"] = str(options.folders.path(read.name))
                listener(event)


class _Predictors:
    """The modules' networks, loaded when the first study is ready for them."""

    def __init__(self, modules: Sequence[InferenceModule], device: str) -> None:
        self._modules, self._device = modules, device

    @cached_property
    def loaded(self) -> list[Predictor]:
        from mimir_engine.measuring.network import Predictor

        return [Predictor(module, self._device) for module in self._modules]


def _ahead(
    work: Callable[[NamedSource], _Read], sources: Iterable[NamedSource], jobs: int
) -> Generator[_Read, None, None]:
    """``work`` on each source, in their order, ``jobs`` of them at once and few of them ahead."""
    waiting: deque[Future[_Read]] = deque()
    with ThreadPoolExecutor(jobs) as readers:
        try:
            for source in sources:
                waiting.append(readers.submit(work, source))
                if len(waiting) >= jobs + BATCH:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            readers.shutdown(wait=False, cancel_futures=True)


def _read(
    source: NamedSource,
    modules: Sequence[InferenceModule],
    options: InferOptions,
    listener: Listener,
) -> _Read:
    listener({"event": "step", "name": source.name, "step": "read"})
    files = fingerprint(source.source)
    try:
        keep_images = options.folders.keep_images if options.folders else None
        prepared = prepare(source.source, source.name, keep_images)
        accepted = check_accepted(prepared, modules, options.allow_unvalidated)
        return _Read(source.name, files, prepared, accepted)
    except Exception as error:  # one bad study must not stop the others
        return _Read(source.name, files, None, failure=failure_of(source.name, error))


def _predicted(batch: Sequence[_Read], predictors: _Predictors) -> list[_Outcome]:
    """Outcomes of a batch, in its order."""
    ready = {read.name: read for read in batch if read.prepared is not None}
    predicted = _predict(list(ready.values()), predictors.loaded) if ready else {}
    return [predicted[read.name] if read.failure is None else read.failure for read in batch]


def _predict(ready: Sequence[_Read], predictors: Sequence[Predictor]) -> dict[str, _Outcome]:
    """Predict studies together; where that fails, one by one, to spare all but the culprit."""
    studies = [read.prepared for read in ready if read.prepared is not None]
    try:
        predictions = predict_batch(studies, [read.accepted for read in ready], predictors)
    except Exception as error:
        if isinstance(error, MimirError) and error.code == "DEVICE_OUT_OF_MEMORY":
            raise
        if len(ready) == 1:
            return {ready[0].name: failure_of(ready[0].name, error)}
        return {name: o for read in ready for name, o in _predict([read], predictors).items()}
    return {
        read.name: _Predicted(read.name, study.eid, study.instance, study.findings, said)
        for read, study, said in zip(ready, (s.study for s in studies), predictions)
    }


def _study_event(outcome: _Outcome, clock: Clock) -> dict[str, Any]:
    seconds_left = clock.tick()
    event: dict[str, Any] = {"event": "study", "name": outcome.name}
    if isinstance(outcome, StudyFailure):
        event.update(state="failed", code=outcome.code, reason=outcome.reason)
    else:
        findings = dict.fromkeys(finding.code for finding in outcome.findings)
        event.update(state="done", findings=list(findings))
    return {**event, "done": clock.done, "total": clock.total, "seconds_left": seconds_left}
