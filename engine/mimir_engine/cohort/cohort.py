"""The results of many studies, read from the ledger of their output folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.measuring.study_result import StudyResult


@dataclass(frozen=True)
class Cohort:
    """Results and failures of all studies of an output folder.

    Attributes:
        modules: The inference modules.
        level: Of the intervals.
        run: Versions, modules, projection, device, level.
        failures: Studies without results, sorted by name.
        done: Number of studies with results.
    """

    modules: tuple[InferenceModule, ...]
    level: float
    run: Mapping[str, Any]
    failures: tuple[StudyFailure, ...]
    done: int
    _ledger: Ledger

    @property
    def results(self) -> Iterator[StudyResult]:
        """Studies with results, sorted by name, read one by one: they may be very many."""
        for _, entry in self._ledger.entries():
            if "code" not in entry:
                yield StudyResult.from_json(entry).at_level(self.modules, self.level)


def read_cohort(
    ledger: Ledger, modules: Sequence[InferenceModule], level: float, run: Mapping[str, Any]
) -> Cohort:
    """Read the failures in a ledger; results are read when asked for."""
    failures = tuple(
        StudyFailure(name, entry["code"], entry["reason"])
        for name, entry in ledger.entries()
        if "code" in entry
    )
    return Cohort(tuple(modules), level, run, failures, len(ledger) - len(failures), ledger)
