"""What became of the studies of a run."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mimir_engine
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.errors import MimirError
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.one_study import ModulePrediction, measure_study
from mimir_engine.study.finding import Finding

_log = logging.getLogger(__name__)


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
    """Why a study has no measurements: a stable code, and a reason of one line."""

    name: str
    code: str
    reason: str


@dataclass(frozen=True)
class Cohort:
    """Outcomes of all studies of an output folder, and what they hang on.

    Attributes:
        modules: The inference modules.
        level: Of the intervals.
        run: Versions, modules, projection, device, level.
        failures: Studies without measurements, sorted by name.
        done: How many studies have measurements.
    """

    modules: tuple[InferenceModule, ...]
    level: float
    run: Mapping[str, Any]
    failures: tuple[StudyFailure, ...]
    done: int
    _ledger: Ledger

    @property
    def results(self) -> Iterator[StudyResult]:
        """Studies with measurements, sorted by name, made one by one: they may be very many."""
        for name, record in self._ledger.records():
            if "predictions" in record:
                yield result_of(name, record, self.modules, self.level)


def cohort_of(
    ledger: Ledger, modules: Sequence[InferenceModule], level: float, run: Mapping[str, Any]
) -> Cohort:
    """All that a ledger knows."""
    failures = tuple(
        StudyFailure(name, record["code"], record["reason"])
        for name, record in ledger.records()
        if "code" in record
    )
    return Cohort(tuple(modules), level, run, failures, len(ledger) - len(failures), ledger)


def result_of(
    name: str, record: Mapping[str, Any], modules: Sequence[InferenceModule], level: float
) -> StudyResult:
    """A study's measurements out of its record in the ledger."""
    predictions = [
        ModulePrediction(tuple(said["mean"]), tuple(said["variance"]), said["validated"])
        for said in record["predictions"]
    ]
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


def failure_of(name: str, error: Exception) -> StudyFailure:
    """What an error in one study means for it; what we did not foresee is ours to mend."""
    if isinstance(error, MimirError):
        return StudyFailure(name, error.code, error.reason)
    if isinstance(error, MemoryError):
        return StudyFailure(name, "OUT_OF_MEMORY", "there is not enough memory for this study.")
    _log.debug("study %s", name, exc_info=error)
    return StudyFailure(name, "INTERNAL_ERROR", f"MIMIR failed {fault(error)}. Please report it.")


def fault(error: BaseException) -> str:
    """Where in the engine an unforeseen error arose; nothing of what it says, which may be a
    patient's data.
    """
    home = Path(mimir_engine.__path__[0])
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if home in Path(frame.filename).parents]
    kind = type(error).__name__
    return f"({kind} at {Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else f"({kind})"
