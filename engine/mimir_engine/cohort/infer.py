"""Measurements of many studies by inference modules.

Studies are read in a few threads while the networks work on those already read. Whatever is wrong
with one study is noted under its name, and the others go on.
"""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import pydicom

import mimir_engine
from mimir_engine.cohort.events import Clock, Listener, engine_event
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.sources import NamedSource, check_names
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, check_columns, module_sha256
from mimir_engine.measurement import Measurement
from mimir_engine.pipeline import (
    ModulePrediction,
    PreparedStudy,
    check_accepted,
    measure_study,
    predict_batch,
    prepare,
)
from mimir_engine.projection import PROJECTION_NAME
from mimir_engine.quality import Finding

if TYPE_CHECKING:
    from mimir_engine.network import Predictor

#: Studies predicted together, at the most.
BATCH = 8


@dataclass(frozen=True)
class InferOptions:
    """How studies are predicted.

    Attributes:
        level: Of the intervals.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        allow_unvalidated: Predict also studies that a module was not validated on, and flag them.
        jobs: Studies read at once.
        overwrite: Start anew in an output folder that holds results.
    """

    level: float = 0.95
    device: str = "auto"
    allow_unvalidated: bool = False
    jobs: int = 2
    overwrite: bool = False


@dataclass(frozen=True)
class StudyResult:
    """One study's measurements.

    Attributes:
        name, eid, instance: Which study; the latter two empty where it is not UK Biobank's.
        measurements: By all modules, in their order.
        flags: Codes of all findings and of all measurements' flags, without repeats.
        findings: What was mended or noticed while reading.
    """

    name: str
    eid: str
    instance: str
    measurements: tuple[Measurement, ...]
    flags: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class StudyFailure:
    """Why a study has no measurements."""

    name: str
    code: str
    reason: str


@dataclass(frozen=True)
class _Predicted:
    """What the ledger keeps of a study that was done."""

    name: str
    eid: str
    instance: str
    findings: tuple[Finding, ...]
    predictions: Mapping[str, ModulePrediction]


_Ready = Union[tuple[PreparedStudy, dict[str, bool]], StudyFailure]
_Outcome = Union[_Predicted, StudyFailure]


@dataclass(frozen=True)
class Cohort:
    """Outcomes of all studies of an output folder, sorted by name, and what they hang on."""

    results: tuple[StudyResult, ...]
    failures: tuple[StudyFailure, ...]
    run: Mapping[str, Any]


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

    Raises:
        MimirError: for modules, device and output folder; never for a single study.
    """
    from mimir_engine.network import Predictor

    check_names(sources)
    check_columns(modules)
    run = describe_run(modules, options)
    listener(engine_event())
    with Ledger(output, run, options.overwrite) as ledger:
        pending = [s for s in sources if not _is_done(ledger, s)]
        known = len(sources) - len(pending)
        listener({"event": "run", "studies": len(sources), "already_done": known})
        clock = Clock(len(pending))
        predictors = [Predictor(m, options.device) for m in modules] if pending else []
        for source, outcome in _outcomes(pending, predictors, options):
            ledger.add(source.name, {**asdict(outcome), "files": _fingerprint(source)})
            listener(_study_event(outcome, clock))
        cohort = _cohort(ledger, modules, options.level, run)
    listener({"event": "finished", "done": len(cohort.results), "failed": len(cohort.failures)})
    return cohort


def describe_run(modules: Sequence[InferenceModule], options: InferOptions) -> dict[str, Any]:
    """What the predictions of a run hang on: versions, modules, projection, device."""
    import torch

    return {
        "mimir": mimir_engine.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pydicom": pydicom.__version__,
        "torch": str(torch.__version__),
        "projection": PROJECTION_NAME,
        "device": options.device,
        "allow_unvalidated": options.allow_unvalidated,
        "modules": [
            {
                "name": m.name,
                "version": m.version,
                "column_prefix": m.column_prefix,
                "sha256": module_sha256(m),
            }
            for m in modules
        ],
    }


def _outcomes(
    sources: Sequence[NamedSource], predictors: Sequence[Predictor], options: InferOptions
) -> Iterator[tuple[NamedSource, _Outcome]]:
    """Each study's outcome, a batch at a time; the next are read meanwhile."""
    modules = [p.module for p in predictors]
    with ThreadPoolExecutor(options.jobs) as readers:
        work = partial(_prepare_or_fail, modules=modules, options=options)
        prepared = _ahead(readers, work, sources, options.jobs + BATCH)
        try:
            while batch := list(islice(prepared, BATCH)):
                yield from _predict(batch, predictors)
        finally:
            readers.shutdown(wait=True, cancel_futures=True)


def _ahead(
    readers: ThreadPoolExecutor, work: Any, sources: Iterable[NamedSource], ahead: int
) -> Iterator[tuple[NamedSource, _Ready]]:
    """``work`` on each source in order, with no more than ``ahead`` of them in memory."""
    waiting: deque[tuple[NamedSource, Future[_Ready]]] = deque()
    for source in sources:
        waiting.append((source, readers.submit(work, source)))
        if len(waiting) >= ahead:
            first, future = waiting.popleft()
            yield first, future.result()
    for first, future in waiting:
        yield first, future.result()


def _prepare_or_fail(
    source: NamedSource, modules: Sequence[InferenceModule], options: InferOptions
) -> _Ready:
    try:
        prepared = prepare(source.source, source.name)
        return prepared, check_accepted(prepared, modules, options.allow_unvalidated)
    except Exception as error:  # one bad study must not stop the others
        return _failure(source.name, error)


def _failure(name: str, error: Exception) -> StudyFailure:
    if isinstance(error, MimirError):
        return StudyFailure(name, error.code, error.reason)
    if isinstance(error, MemoryError):
        return StudyFailure(name, "OUT_OF_MEMORY", "there is not enough memory for this study.")
    return StudyFailure(
        name,
        "INTERNAL_ERROR",
        f"MIMIR failed on this study ({type(error).__name__}). Please report it.",
    )


def _predict(
    batch: Sequence[tuple[NamedSource, _Ready]], predictors: Sequence[Predictor]
) -> Iterator[tuple[NamedSource, _Outcome]]:
    """Outcomes of a batch, in its order."""
    ready = [item for _, item in batch if not isinstance(item, StudyFailure)]
    studies, accepted = [prepared for prepared, _ in ready], [valid for _, valid in ready]
    predictions = iter(predict_batch(studies, accepted, predictors) if ready else ())
    for source, item in batch:
        if isinstance(item, StudyFailure):
            yield source, item
        else:
            study = item[0].study
            yield (
                source,
                _Predicted(
                    source.name, study.eid, study.instance, study.findings, next(predictions)
                ),
            )


def _study_event(outcome: _Outcome, clock: Clock) -> dict[str, Any]:
    seconds_left = clock.tick()
    event = {"event": "study", "name": outcome.name, "state": "done"}
    if isinstance(outcome, StudyFailure):
        event.update(state="failed", code=outcome.code, reason=outcome.reason)
    return {**event, "done": clock.done, "total": clock.total, "seconds_left": seconds_left}


def _fingerprint(source: NamedSource) -> list[list[Any]]:
    """Path, size and time of change of a source's files, to notice that they changed."""
    paths = [source.source] if isinstance(source.source, (str, Path)) else source.source
    print_ = []
    for path in map(Path, paths):
        try:
            status = path.stat()
            print_.append([str(path), status.st_size, status.st_mtime])
        except OSError:
            print_.append([str(path), -1, 0.0])
    return print_


def _is_done(ledger: Ledger, source: NamedSource) -> bool:
    record = ledger.records.get(source.name, {})
    return "predictions" in record and record.get("files") == _fingerprint(source)


def _cohort(
    ledger: Ledger, modules: Sequence[InferenceModule], level: float, run: Mapping[str, Any]
) -> Cohort:
    results, failures = [], []
    for name, record in sorted(ledger.records.items()):
        if "code" in record:
            failures.append(StudyFailure(name, record["code"], record["reason"]))
        else:
            results.append(_result(name, record, modules, level))
    return Cohort(tuple(results), tuple(failures), {**run, "level": level})


def _result(
    name: str, record: Mapping[str, Any], modules: Sequence[InferenceModule], level: float
) -> StudyResult:
    predictions = {
        module: ModulePrediction(tuple(said["mean"]), tuple(said["variance"]), said["validated"])
        for module, said in record["predictions"].items()
    }
    measurements = measure_study(modules, predictions, level)
    findings = [Finding(**finding) for finding in record["findings"]]
    codes = [finding.code for finding in findings]
    codes += [flag for measurement in measurements for flag in measurement.flags]
    return StudyResult(
        name,
        record["eid"],
        record["instance"],
        tuple(measurements),
        tuple(dict.fromkeys(codes)),
        tuple(findings),
    )
