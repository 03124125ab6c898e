"""The results of many studies, read from the ledger of their output folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mimir_engine.cohort.outcomes import Outcomes
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.measuring.study_result import StudyResult


@dataclass(frozen=True)
class Cohort:
    """Results and failures of all studies of an output folder.

    Attributes:
        ledger: The outcomes of all studies; it may be closed.
        modules: The inference modules.
        level: Level of the intervals.
        run: Versions, modules, projection, device, level.
    """

    ledger: Outcomes
    modules: Sequence[InferenceModule]
    level: float
    run: Mapping[str, Any]

    @cached_property
    def failures(self) -> tuple[StudyFailure, ...]:
        """Studies without results, sorted by name."""
        return tuple(self.ledger.failures())

    @property
    def done(self) -> int:
        """Number of studies with results."""
        return len(self.ledger) - len(self.failures)

    @property
    def results(self) -> Iterator[StudyResult]:
        """Studies with results, sorted by name, read one by one: they may be very many."""
        for _, entry in self.ledger.done():
            yield StudyResult.from_json(entry).at_level(self.modules, self.level)
