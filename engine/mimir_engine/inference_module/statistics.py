"""Describe an inference module's predictions in a reference population, by sex.

Percentiles are taken among *predictions*, not among true values: predictions are drawn towards the
mean, so that a prediction's place among true values would look more ordinary than it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import read_json, to_json, write_json
from mimir_engine.inference_module.direct_reference import DirectReference
from mimir_engine.inference_module.z_reference import Covariates, ZReference

#: Version 2 added references of z-scores, which may be absent.
SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, SCHEMA_VERSION)
INVALID = "STATISTICS_INVALID"
MAX_FILE_BYTES = 20 << 20

SEXES = ("female", "male")

#: Levels of the quantiles that are kept: every 5 %, and closer at both ends.
LEVELS = (0.005, 0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99, 0.995)


#: Spellings of the sex in tables, in lower case; UK Biobank's field 31 has 0 for women.
_SPELLINGS = {
    **dict.fromkeys(("female", "f", "0", "0.0"), "female"),
    **dict.fromkeys(("male", "m", "1", "1.0"), "male"),
}


def sex_of_text(text: str) -> str:
    """Return the sex that a cell of a table spells; empty for anything else."""
    return _SPELLINGS.get(text.lower(), "")


def recorded_sex(code: float) -> str:
    """Return the sex that UK Biobank's field 31 encodes: 0 female, 1 male, else empty."""
    return {0.0: "female", 1.0: "male"}.get(float(code), "")


@dataclass(frozen=True)
class SexStatistics:
    """Quantiles of the predictions for one sex.

    Attributes:
        count: Number of predictions.
        targets: ``{target: one quantile per level}``, in the target's unit.
    """

    count: int
    targets: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class PredictionStatistics:
    """Quantiles of a module's predictions, by sex.

    Attributes:
        reference: The population, as shown to users: ``"2,000 simulated phantoms"``.
        levels: Increasing, each between 0 and 1.
        by_sex: ``{sex: its statistics}``.
        direct: ``{target: the direct measurement that it goes with}``.
        z_references: ``{sex: {target: references of its z-score}}``, the most specific first.
    """

    reference: str
    levels: tuple[float, ...]
    by_sex: Mapping[str, SexStatistics] = field(metadata={"key": "prediction_quantiles"})
    direct: Mapping[str, DirectReference] = field(default_factory=dict)
    z_references: Mapping[str, Mapping[str, tuple[ZReference, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.levels) < 2 or not (np.diff((0.0, *self.levels, 1.0)) > 0).all():
            raise MimirError(INVALID, "the levels of the quantiles must increase from 0 to 1")
        for sex, statistics in self.by_sex.items():
            if sex not in SEXES:
                raise MimirError(INVALID, f"the prediction quantiles have an unknown sex {sex!r}")
            for target, quantiles in statistics.targets.items():
                if len(quantiles) != len(self.levels):
                    raise MimirError(INVALID, f"{target} must have one quantile per level")
                steps = np.diff(quantiles)
                if not (np.isfinite(steps) & (steps >= 0)).all():
                    raise MimirError(INVALID, f"the quantiles of {target} must not decrease")

    def z_reference(
        self, target: str, sex: Optional[str], covariates: Covariates
    ) -> Optional[ZReference]:
        """Return the most specific reference of a z-score that goes with what is known; or None."""
        lines = self.z_references.get(sex or "", {}).get(target, ())
        return next((line for line in lines if line.applies_to(covariates)), None)

    def percentile(self, target: str, sex: str, value: float) -> Optional[float]:
        """Return the share of the reference's predictions below a value, in percent.

        Interpolated between the kept quantiles; beyond the outermost of them it is their level.

        Args:
            target: Name of the target.
            sex: ``female`` or ``male``.
            value: A prediction, in the target's unit.

        Returns:
            None without quantiles of this target for this sex.
        """
        statistics = self.by_sex.get(sex)
        if statistics is None or target not in statistics.targets:
            return None
        return 100 * float(np.interp(value, statistics.targets[target], self.levels))


def describe_predictions(
    target_names: Sequence[str],
    means: np.ndarray,
    sexes: Sequence[str],
    reference: str,
) -> PredictionStatistics:
    """Compute the statistics of predictions over a reference population.

    Args:
        target_names: Names of the targets.
        means: ``(subjects, targets)``, predictions in each target's unit.
        sexes: ``female`` or ``male`` for each subject.
        reference: The population, as shown to users.
    """
    by_sex = {}
    for sex in SEXES:
        chosen = means[np.asarray(sexes) == sex]
        if len(chosen):
            quantiles = np.quantile(chosen, LEVELS, axis=0).T.tolist()
            targets = {name: tuple(row) for name, row in zip(target_names, quantiles)}
            by_sex[sex] = SexStatistics(len(chosen), targets)
    return PredictionStatistics(reference, LEVELS, by_sex)


def write_statistics(path: Path, statistics: PredictionStatistics) -> None:
    """Write ``statistics.json``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_json(path, {"schema_version": SCHEMA_VERSION, **to_json(statistics)})


def read_statistics(path: Path) -> PredictionStatistics:
    """Read ``statistics.json``.

    Raises:
        MimirError: ``STATISTICS_INVALID``.
    """
    return read_json(path, PredictionStatistics, INVALID, MAX_FILE_BYTES, READABLE_VERSIONS)
