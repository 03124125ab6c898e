"""Turn a module's prediction for one study into measurements with units, intervals and flags."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.interval import half_width_in_sd
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.display_text import number, words
from mimir_engine.measuring.flags import BELOW_ZERO, DEMONSTRATION, OUTSIDE_TRAINING_RANGE
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.measuring.sex_label import predicted_sex, sex_label
from mimir_engine.measuring.stored_fields import texts

#: A value further from the training data's mean is flagged, in standard deviations.
MAX_TRAINING_SD = 4.0


@dataclass(frozen=True)
class Measurement:
    """One target, estimated for one study.

    Its fields are stored unchanged as JSON, in the ledger and in a study's folder.

    Attributes:
        name: The target's name after the module's column prefix, as in ``predictions.csv``.
        target: The target's own name.
        unit: Unit of value, SD and bounds; empty for a class.
        kind: ``quantity``, or ``class`` for a score between two classes.
        is_sex: The value is the score of the sex: 0 female, 1 male.
        non_negative: The quantity cannot be below zero.
        value: The estimate, in the unit; for a class, the score.
        sd: Standard deviation of the estimate, in the unit.
        level: The share of intervals that contain the true value, e.g. 0.95.
        lower: Lower bound of the interval, in the unit; raw, so it may be below zero.
        upper: Upper bound of the interval, in the unit.
        percentile: Share of the reference population's predictions below the value, in percent,
            among the same sex; None if the module has no quantiles or the sex is uncertain.
        percentile_reference: The reference population in words; empty without a percentile.
        sex: ``female`` or ``male``, for which interval and percentile are; None if uncertain.
        divisor: ``unit`` is the network's unit divided by this: 1000 for mL to L.
        training_mean: Mean of the training data, in the network's unit.
        training_sd: Standard deviation of the training data, in the network's unit.
        module: Name of the inference module.
        module_version: Version of the inference module.
        flags: Stable codes, e.g. ``DEMONSTRATION``.
    """

    name: str
    target: str
    unit: str
    kind: str
    is_sex: bool
    non_negative: bool
    value: float
    sd: float
    level: float
    lower: float
    upper: float
    percentile: Optional[float]
    percentile_reference: str
    sex: Optional[str]
    divisor: float
    training_mean: float
    training_sd: float
    module: str
    module_version: str
    flags: tuple[str, ...]

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Measurement:
        """Read what ``dataclasses.asdict`` and JSON made of a measurement.

        Raises:
            TypeError, KeyError: These are not the fields of a measurement.
        """
        return cls(**{**fields, "flags": texts(fields["flags"])})

    @property
    def label(self) -> str:
        """The target's name in words."""
        return words(self.target)

    @property
    def lower_shown(self) -> float:
        """The lower bound as shown to people: not below zero if the quantity cannot be."""
        return max(self.lower, 0.0) if self.non_negative else self.lower

    @property
    def upper_shown(self) -> float:
        """The upper bound as shown to people: not below zero if the quantity cannot be."""
        return max(self.upper, 0.0) if self.non_negative else self.upper

    @property
    def interval_text(self) -> str:
        """The interval as shown to people, e.g. ``1.2 to 1.9``; empty for a class."""
        if self.kind == "class":
            return ""
        return f"{number(self.lower_shown, self.sd)} to {number(self.upper_shown, self.sd)}"

    @property
    def sex_label(self) -> str:
        """``female``, ``male`` or ``uncertain`` for the sex, else empty."""
        return sex_label(self.value) if self.is_sex else ""

    @property
    def z_score(self) -> Optional[float]:
        """The value's z-score; None for a class, whose score has none."""
        return None if self.kind == "class" else self.z_of(self.value)

    @property
    def z_reference(self) -> str:
        """The reference of the z-score in words."""
        return f"mean and SD of the training data of {self.module} {self.module_version}"

    @property
    def demonstration(self) -> bool:
        """True if the module is a demonstration."""
        return DEMONSTRATION in self.flags

    def z_of(self, value: float) -> float:
        """Return a value's distance from the training mean in training standard deviations.

        Args:
            value: In the measurement's unit.
        """
        return (value * self.divisor - self.training_mean) / self.training_sd

    def at_level(self, target: Target, level: float) -> Measurement:
        """Return the same measurement with an interval of another level.

        Args:
            target: The target that was measured, for its conformal quantiles.
            level: Share of the intervals that contain the true value, between 0 and 1.

        Raises:
            MimirError: ``LEVEL_INVALID``.
        """
        half_width = interval_factor(target, level, self.sex) * self.sd
        lower, upper = self.value - half_width, self.value + half_width
        return replace(self, level=level, lower=lower, upper=upper)


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
        level: Share of the intervals that contain the true value, between 0 and 1.
        flags: Codes that concern all of this study's values, e.g. ``OUTSIDE_VALIDATION``.
        sex: ``female`` or ``male``, for intervals and percentiles; by default the module's own
            estimate, if it has one that is certain.

    Returns:
        One measurement per target, in the module's order.

    Raises:
        MimirError: ``LEVEL_INVALID``; ``STATISTICS_INVALID`` if the module's are damaged.
    """
    sex = predicted_sex(module, mean) if sex is None else sex
    return [
        _measurement(module, target, float(value), math.sqrt(squared), level, tuple(flags), sex)
        for target, value, squared in zip(module.targets, mean, variance)
    ]


def interval_factor(target: Target, level: float, sex: Optional[str] = None) -> float:
    """Return half the interval's width in standard deviations.

    Args:
        target: The target; its conformal quantiles are used if it has any.
        level: Share of the intervals that contain the true value.
        sex: ``female`` or ``male`` if certain; the quantiles of that sex are used if there are any.

    Raises:
        MimirError: ``LEVEL_INVALID``.
    """
    if not 0 < level < 1:
        raise MimirError("LEVEL_INVALID", f"level {level:g} is out of range", "Use e.g. 0.95.")
    by_sex = target.conformal_quantiles_by_sex
    quantiles = target.conformal_quantiles if sex is None else by_sex.get(sex)
    return half_width_in_sd(quantiles or target.conformal_quantiles, level)


def _measurement(
    module: InferenceModule,
    target: Target,
    value: float,
    sd: float,
    level: float,
    flags: tuple[str, ...],
    sex: Optional[str],
) -> Measurement:
    percentile, percentile_reference = _percentile(module, target, value, sex)
    measurement = Measurement(
        name=module.column_prefix + target.name,
        target=target.name,
        unit=target.unit,
        kind=target.kind,
        is_sex=target.is_sex,
        non_negative=target.non_negative,
        value=value,
        sd=sd,
        level=level,
        lower=value,
        upper=value,
        percentile=percentile,
        percentile_reference=percentile_reference,
        sex=sex,
        divisor=target.divisor,
        training_mean=target.mean,
        training_sd=target.sd,
        module=module.name,
        module_version=module.version,
        flags=flags,
    )
    conditions = {
        DEMONSTRATION: module.demonstration,
        OUTSIDE_TRAINING_RANGE: abs(measurement.z_of(value)) > MAX_TRAINING_SD,
        BELOW_ZERO: target.non_negative and value < 0,
    }
    own = [code for code, holds in conditions.items() if holds]
    return replace(measurement, flags=tuple(dict.fromkeys((*flags, *own)))).at_level(target, level)


def _percentile(
    module: InferenceModule, target: Target, value: float, sex: Optional[str]
) -> tuple[Optional[float], str]:
    """Return the percentile and its reference population in words."""
    statistics = module.statistics()
    if statistics is None or sex is None or target.kind == "class":
        return None, ""
    percentile = statistics.percentile(target.name, sex, value)
    reference = f"predictions for {sex} members of {statistics.reference}"
    return percentile, "" if percentile is None else reference
