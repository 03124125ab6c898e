"""How an inference module's predictions are spread over a reference population, by sex.

Percentiles are taken among *predictions*, not among true values: predictions are drawn towards the
mean, so that a prediction's place among true values would look more ordinary than it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.json_record import Record, read_record

SCHEMA_VERSION = 1
INVALID = "STATISTICS_INVALID"
MAX_FILE_BYTES = 20 << 20

SEXES = ("female", "male")

LEVELS = (0.005, 0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99, 0.995)
"""Levels of the quantiles that are kept: every 5 %, and closer at both ends."""


@dataclass(frozen=True)
class PredictionStatistics:
    """Quantiles of a module's predictions, by sex.

    Attributes:
        reference: The population, as a reader is told it: ``"2,000 simulated phantoms"``.
        levels: Increasing, each between 0 and 1.
        quantiles: ``{sex: {target: one quantile per level}}``, in the target's unit.
        counts: ``{sex: number of predictions}``.
    """

    reference: str
    levels: tuple[float, ...]
    quantiles: Mapping[str, Mapping[str, tuple[float, ...]]]
    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        if len(self.levels) < 2 or not _increases((0.0, *self.levels, 1.0), strictly=True):
            raise MimirError(INVALID, "the levels of the quantiles do not increase from 0 to 1")
        for sex, targets in self.quantiles.items():
            if sex not in SEXES or sex not in self.counts:
                raise MimirError(INVALID, f"prediction quantiles name an unknown sex {sex!r}")
            for target, quantiles in targets.items():
                if len(quantiles) != len(self.levels) or not _increases(quantiles):
                    raise MimirError(INVALID, f"the quantiles of {target} are no quantiles")

    def percentile(self, target: str, sex: str, value: float) -> Optional[float]:
        """Share of the reference's predictions below the value, in percent.

        Interpolated between the kept quantiles; beyond the outermost of them it is their level.

        Args:
            target: Name of the target.
            sex: ``female`` or ``male``.
            value: A prediction, in the target's unit.

        Returns:
            None where there are no quantiles of this target for this sex.
        """
        quantiles = self.quantiles.get(sex, {}).get(target)
        if quantiles is None:
            return None
        return 100 * float(np.interp(value, quantiles, self.levels))


def describe_predictions(
    target_names: Sequence[str],
    means: np.ndarray,
    sexes: Sequence[str],
    reference: str,
    levels: Sequence[float] = LEVELS,
) -> PredictionStatistics:
    """Statistics of a module's predictions over a reference population.

    Args:
        target_names: Names of the targets.
        means: ``(subjects, targets)``, predictions in each target's unit.
        sexes: ``female`` or ``male`` of each subject.
        reference: The population, as a reader is to be told it.
        levels: Levels of the quantiles.
    """
    sex = np.asarray(sexes)
    present = [name for name in SEXES if (sex == name).any()]
    return PredictionStatistics(
        reference=reference,
        levels=tuple(levels),
        quantiles={
            name: {
                target: tuple(np.quantile(means[sex == name, index], levels).tolist())
                for index, target in enumerate(target_names)
            }
            for name in present
        },
        counts={name: int((sex == name).sum()) for name in present},
    )


def write_statistics(path: Path, statistics: PredictionStatistics) -> None:
    """Write ``statistics.json``."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "reference": statistics.reference,
        "levels": list(statistics.levels),
        "prediction_quantiles": {
            sex: {
                "count": statistics.counts[sex],
                "targets": {target: list(values) for target, values in targets.items()},
            }
            for sex, targets in statistics.quantiles.items()
        },
    }
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def read_statistics(path: Path) -> PredictionStatistics:
    """Read ``statistics.json``.

    Raises:
        MimirError: ``STATISTICS_INVALID``.
    """
    record = read_record(path, INVALID, MAX_FILE_BYTES)
    version = record.integer("schema_version")
    if version != SCHEMA_VERSION:
        record.refuse(f"has schema version {version}, this engine reads {SCHEMA_VERSION}")
    by_sex = record.record("prediction_quantiles")
    groups = {sex: group for sex in SEXES if (group := by_sex.optional_record(sex)) is not None}
    by_sex.done()
    statistics = PredictionStatistics(
        reference=record.text("reference"),
        levels=record.numbers("levels"),
        counts={sex: group.integer("count") for sex, group in groups.items()},
        quantiles={sex: _targets(group) for sex, group in groups.items()},
    )
    record.done()
    return statistics


def _targets(group: Record) -> dict[str, tuple[float, ...]]:
    targets = group.record("targets")
    quantiles = {name: targets.numbers(name) for name in targets.unread()}
    group.done()
    return quantiles


def _increases(values: Sequence[float], strictly: bool = False) -> bool:
    steps = np.diff(np.asarray(values, np.float64))
    return bool(np.isfinite(steps).all() and ((steps > 0) if strictly else (steps >= 0)).all())
