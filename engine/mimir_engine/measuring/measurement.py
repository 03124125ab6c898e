"""From a module's prediction for one study to measurements that a reader can judge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.interval import half_width_in_sd
from mimir_engine.inference_module.published_targets import PublishedTarget, find_published
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

DEMONSTRATION = "DEMONSTRATION"
"""The module is a demonstration: the value says nothing about people."""
OUTSIDE_VALIDATION = "OUTSIDE_VALIDATION"
"""The study is of a kind that the module was not validated on; set by the caller."""
OUTSIDE_TRAINING_RANGE = "OUTSIDE_TRAINING_RANGE"
"""The value is further from the training data's mean than nearly all of the training data."""
BELOW_ZERO = "BELOW_ZERO"
"""The value is negative though the quantity cannot be."""

TRAINING_RANGE_SD = 4.0

FEMALE_BELOW = 0.2
MALE_ABOVE = 0.8
"""Scores of 0 female, 1 male; between the two bounds the sex is called uncertain."""


@dataclass(frozen=True)
class Measurement:
    """One target, estimated for one study.

    Attributes:
        name: The target's name behind the module's column prefix.
        target: The target, with its unit, kind and scales.
        value: The estimate, in the unit; for a class, the score.
        sd: Standard deviation of the estimate, in the unit.
        level: The share of intervals that hold the true value, e.g. 0.95.
        lower: Lower bound of the interval, in the unit; raw, so it may be below zero.
        upper: Upper bound of the interval, in the unit.
        z_score: Distance from the training data's mean in its standard deviations; None for a
            class, whose score has no such place.
        z_reference: What the z-score is against, in words.
        percentile: Share of the reference population's predictions below the value, in percent,
            among the same sex; None where the module ships no quantiles or the sex is uncertain.
        percentile_reference: What the percentile is among, in words; empty where there is none.
        published: Accuracy of the published network; None for any other module.
        module: Name of the inference module.
        flags: Stable codes, e.g. ``DEMONSTRATION``.
    """

    name: str
    target: Target
    value: float
    sd: float
    level: float
    lower: float
    upper: float
    z_score: Optional[float]
    z_reference: str
    percentile: Optional[float]
    percentile_reference: str
    published: Optional[PublishedTarget]
    module: str
    flags: tuple[str, ...]

    @property
    def unit(self) -> str:
        """The unit of value, SD and interval."""
        return self.target.unit

    @property
    def lower_shown(self) -> float:
        """The lower bound as shown to people: not below zero where the quantity cannot be."""
        return max(self.lower, 0.0) if self.target.non_negative else self.lower

    @property
    def upper_shown(self) -> float:
        """The upper bound as shown to people: not below zero where the quantity cannot be."""
        return max(self.upper, 0.0) if self.target.non_negative else self.upper

    @property
    def label(self) -> str:
        """``female``, ``male`` or ``uncertain`` for the sex, empty for all else."""
        if not self.target.is_sex:
            return ""
        if self.value < FEMALE_BELOW:
            return "female"
        return "male" if self.value > MALE_ABOVE else "uncertain"


def measure(
    module: InferenceModule,
    mean: Union[Sequence[float], np.ndarray],
    variance: Union[Sequence[float], np.ndarray],
    level: float = DEFAULT_LEVEL,
    flags: Iterable[str] = (),
    sex: Optional[str] = None,
) -> list[Measurement]:
    """Turn one study's prediction into measurements.

    Args:
        module: The inference module that made the prediction.
        mean: ``(targets,)``, in each target's unit.
        variance: ``(targets,)``, in the unit squared.
        level: Share of the intervals that hold the true value, between 0 and 1.
        flags: Codes that concern all of this study's values, e.g. ``OUTSIDE_VALIDATION``.
        sex: ``female`` or ``male``, for intervals and percentiles; by default the module's own
            estimate, where it has one that is certain.

    Returns:
        One measurement a target, in the module's order.

    Raises:
        MimirError: ``LEVEL_INVALID``; ``STATISTICS_INVALID`` where the module's are damaged.
    """
    if not 0 < level < 1:
        raise MimirError(
            "LEVEL_INVALID", f"an interval level of {level:g} makes no interval", "Use e.g. 0.95."
        )
    values = [float(value) for value in mean]
    deviations = [math.sqrt(value) for value in variance]
    sex = _predicted_sex(module.targets, values) if sex is None else sex
    rows = zip(module.targets, module.measurement_names, values, deviations)
    return [
        _measurement(module, target, name, value, sd, level, tuple(flags), sex)
        for target, name, value, sd in rows
    ]


def estimated_sex(measurements: Iterable[Measurement]) -> Optional[str]:
    """``female`` or ``male`` where one of the measurements says so with certainty, else None.

    Lets a module that estimates the sex serve the percentiles of one that doesn't.
    """
    labels = (measurement.label for measurement in measurements)
    return next((label for label in labels if label in ("female", "male")), None)


def interval_factor(target: Target, level: float, sex: Optional[str] = None) -> float:
    """Half the interval's width in standard deviations.

    Args:
        target: Its conformal quantiles count, where it has any.
        level: Share of the intervals that hold the true value.
        sex: ``female`` or ``male`` where certain: then those of the sex count, if there are any.
    """
    by_sex = target.conformal_quantiles_by_sex
    quantiles = target.conformal_quantiles if sex is None else by_sex.get(sex)
    return half_width_in_sd(quantiles or target.conformal_quantiles, level)


def _measurement(
    module: InferenceModule,
    target: Target,
    name: str,
    value: float,
    sd: float,
    level: float,
    flags: tuple[str, ...],
    sex: Optional[str],
) -> Measurement:
    half_width = interval_factor(target, level, sex) * sd
    z_score = (value * target.divisor - target.mean) / target.sd
    percentile, percentile_reference = _percentile(module, target, value, sex)
    return Measurement(
        name=name,
        target=target,
        value=value,
        sd=sd,
        level=level,
        lower=value - half_width,
        upper=value + half_width,
        z_score=None if target.kind == "class" else z_score,
        z_reference=f"mean and SD of the training data of {module.name} {module.version}",
        percentile=percentile,
        percentile_reference=percentile_reference,
        published=find_published(target.name, target.ukb_field) if module.published else None,
        module=module.name,
        flags=tuple(dict.fromkeys((*flags, *_flags(module, target, value, z_score)))),
    )


def _flags(
    module: InferenceModule, target: Target, value: float, z_score: float
) -> tuple[str, ...]:
    conditions = {
        DEMONSTRATION: module.demonstration,
        OUTSIDE_TRAINING_RANGE: abs(z_score) > TRAINING_RANGE_SD,
        BELOW_ZERO: target.non_negative and value < 0,
    }
    return tuple(code for code, holds in conditions.items() if holds)


def _percentile(
    module: InferenceModule, target: Target, value: float, sex: Optional[str]
) -> tuple[Optional[float], str]:
    """The percentile and what it is among."""
    statistics = module.statistics()
    if statistics is None or sex is None or target.kind == "class":
        return None, ""
    percentile = statistics.percentile(target.name, sex, value)
    if percentile is None:
        return None, ""
    return percentile, f"predictions for {sex} members of {statistics.reference}"


def _predicted_sex(targets: Sequence[Target], values: Sequence[float]) -> Optional[str]:
    for target, value in zip(targets, values):
        if target.is_sex:
            return "female" if value < FEMALE_BELOW else "male" if value > MALE_ABOVE else None
    return None
