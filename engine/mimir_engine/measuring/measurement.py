"""Turn a module's prediction for one study into measurements with units, intervals and flags."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.coverage import coverage_range
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.interval import CONFORMAL, GAUSSIAN, NONE, Interval, interval_of
from mimir_engine.inference_module.target import Target
from mimir_engine.inference_module.z_reference import Covariates
from mimir_engine.measuring.chosen_sex import ESTIMATED, ChosenSex
from mimir_engine.measuring.display_text import number, words
from mimir_engine.measuring.flags import (
    BELOW_ZERO,
    DEMONSTRATION,
    INTERVAL_EXTRAPOLATED,
    NO_INTERVAL,
    OUTSIDE_TRAINING_RANGE,
)
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL
from mimir_engine.measuring.sex_label import predicted_sex, sex_label
from mimir_engine.measuring.stored_fields import texts

#: A value further from the training data's mean is flagged, in standard deviations, if the module
#: does not know the range of its labels.
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
        lower: Lower bound of the interval, in the unit; raw, so it may be below zero. None without
            an interval: for a class, and for a target that was calibrated on too few persons.
        upper: Upper bound of the interval, likewise.
        interval_method: ``conformal``: as far as such persons of the calibration needed it;
            ``gaussian``: from the SD alone, or beyond the highest level that was calibrated;
            ``none``.
        interval_persons: Persons that the bounds were calibrated on, with estimates of this size;
            0 if it is not known.
        coverage_low: The true coverage of conformal intervals lies between this and
            `coverage_high` for 95 % of all possible calibrations; None for others.
        coverage_high: See `coverage_low`.
        percentile: Share of the reference population's predictions below the value, in percent,
            among the same sex; None if the module has no quantiles or the sex is uncertain.
        percentile_reference: The reference population in words; empty without a percentile.
        z_mean: Mean of the reference of the z-score, in the unit.
        z_sd: Standard deviation of that reference.
        z_reference: That reference in words.
        sex: ``female`` or ``male``, for which interval, percentile and z-score are; None if
            uncertain.
        sex_source: Where the sex comes from: ``recorded``, ``estimated`` (by the module itself), or
            ``estimated by another module``; empty if it is uncertain.
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
    lower: Optional[float]
    upper: Optional[float]
    interval_method: str
    interval_persons: int
    coverage_low: Optional[float]
    coverage_high: Optional[float]
    percentile: Optional[float]
    percentile_reference: str
    z_mean: float
    z_sd: float
    z_reference: str
    sex: Optional[str]
    sex_source: str
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
    def value_shown(self) -> float:
        """The value as shown beside its interval: not below zero if the quantity cannot be."""
        return self._shown(self.value)

    @property
    def lower_shown(self) -> float:
        """The lower bound as shown to people: not below zero if the quantity cannot be.

        Without an interval it is the value.
        """
        return self._shown(self.lower)

    @property
    def upper_shown(self) -> float:
        """The upper bound as shown to people, likewise."""
        return self._shown(self.upper)

    def _shown(self, bound: Optional[float]) -> float:
        bound = self.value if bound is None else bound
        return max(bound, 0.0) if self.non_negative else bound

    @property
    def interval_text(self) -> str:
        """The interval as shown to people, e.g. ``1.2 to 1.9``; empty without one."""
        if self.lower is None:
            return ""
        return f"{number(self.lower_shown, self.sd)} to {number(self.upper_shown, self.sd)}"

    @property
    def sex_label(self) -> str:
        """``female``, ``male`` or ``uncertain`` for the sex, else empty."""
        return sex_label(self.value) if self.is_sex else ""

    @property
    def z_score(self) -> Optional[float]:
        """The value's z-score; None for a class, whose score has none."""
        return None if self.kind == "class" else (self.value - self.z_mean) / self.z_sd

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
            target: The target that was measured, for its intervals.
            level: Share of the intervals that contain the true value, between 0 and 1.

        Raises:
            MimirError: ``LEVEL_INVALID``.
        """
        found = interval(target, self.value, self.sd, level, self.sex)
        is_known = found.method == CONFORMAL and found.persons > 0
        low, high = coverage_range(found.persons, level) if is_known else (None, None)
        own = _interval_flags(target, found)
        others = (flag for flag in self.flags if flag not in (INTERVAL_EXTRAPOLATED, NO_INTERVAL))
        return replace(
            self,
            flags=(*own, *others),
            level=level,
            lower=found.lower,
            upper=found.upper,
            interval_method=found.method,
            interval_persons=found.persons,
            coverage_low=low,
            coverage_high=high,
        )


def measure(
    module: InferenceModule,
    mean: Union[Sequence[float], np.ndarray],
    variance: Union[Sequence[float], np.ndarray],
    level: float = DEFAULT_LEVEL,
    flags: Iterable[str] = (),
    sex: Optional[ChosenSex] = None,
    age: Optional[float] = None,
) -> list[Measurement]:
    """Turn one study's prediction into measurements.

    Args:
        module: The inference module that made the prediction.
        mean: ``(targets,)``, in each target's unit.
        variance: ``(targets,)``, in the unit squared.
        level: Share of the intervals that contain the true value, between 0 and 1.
        flags: Codes that concern all of this study's values, e.g. ``OUTSIDE_VALIDATION``.
        sex: For intervals, percentiles and z-scores; by default the module's own estimate, if it
            has one that is certain.
        age: Recorded age in years, for z-scores; None if it is not known.

    Returns:
        One measurement per target, in the module's order.

    Raises:
        MimirError: ``LEVEL_INVALID``; ``STATISTICS_INVALID`` if the module's are damaged.
    """
    if sex is None:
        own = predicted_sex(module, mean)
        sex = ChosenSex(own, ESTIMATED if own else "")
    covariates = Covariates(age, _height(module, mean))
    return [
        _measurement(
            module, target, float(value), math.sqrt(squared), level, tuple(flags), sex, covariates
        )
        for target, value, squared in zip(module.targets, mean, variance)
    ]


def _height(module: InferenceModule, mean: Iterable[float]) -> Optional[float]:
    """Return the height that a module estimates, in cm; None if it estimates none."""
    heights = (float(value) for target, value in zip(module.targets, mean) if target.is_height)
    return next(heights, None)


def interval(
    target: Target, value: float, sd: float, level: float, sex: Optional[str] = None
) -> Interval:
    """Return the interval of one estimate of a target.

    Args:
        target: The target; a class has no interval.
        value: The estimate, in the target's unit.
        sd: Its standard deviation.
        level: Share of the intervals that contain the true value.
        sex: ``female`` or ``male`` if certain; bounds of that sex are used if there are any.

    Raises:
        MimirError: ``LEVEL_INVALID``.
    """
    if not 0 < level < 1:
        raise MimirError("LEVEL_INVALID", f"level {level:g} is out of range", "Use e.g. 0.95.")
    if target.kind == "class":
        return Interval(None, None, NONE)
    return interval_of(target.used_intervals, value, sd, level, sex)


def interval_methods(target: Target, level: float) -> list[str]:
    """Return how a target's intervals of a level are made: one way, or several by estimate."""
    bins = [part for parts in target.used_intervals.bins.values() for part in parts]
    if target.kind == "class" or not bins:
        return [NONE]
    return sorted({CONFORMAL if part.bounds(level)[2] else GAUSSIAN for part in bins})


def _measurement(
    module: InferenceModule,
    target: Target,
    value: float,
    sd: float,
    level: float,
    flags: tuple[str, ...],
    sex: ChosenSex,
    covariates: Covariates,
) -> Measurement:
    percentile, percentile_reference = _percentile(module, target, value, sex.sex)
    z_mean, z_sd, z_reference = _z_reference(module, target, sex.sex, covariates)
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
        lower=None,
        upper=None,
        interval_method=NONE,
        interval_persons=0,
        coverage_low=None,
        coverage_high=None,
        percentile=percentile,
        percentile_reference=percentile_reference,
        z_mean=z_mean,
        z_sd=z_sd,
        z_reference=z_reference,
        sex=sex.sex,
        sex_source=sex.source,
        divisor=target.divisor,
        training_mean=target.mean,
        training_sd=target.sd,
        module=module.name,
        module_version=module.version,
        flags=flags,
    )
    conditions = {
        DEMONSTRATION: module.demonstration,
        OUTSIDE_TRAINING_RANGE: _is_outside(target, measurement),
        BELOW_ZERO: target.non_negative and value < 0,
    }
    own = [code for code, holds in conditions.items() if holds]
    return replace(measurement, flags=tuple(dict.fromkeys((*flags, *own)))).at_level(target, level)


def _interval_flags(target: Target, found: Interval) -> tuple[str, ...]:
    """Return the flags of an interval that is not what the module's calibration promises."""
    if target.kind == "class" or found.method == CONFORMAL:
        return ()
    if found.method == NONE:
        return (NO_INTERVAL,)
    return (INTERVAL_EXTRAPOLATED,) if target.is_conformal else ()


def _is_outside(target: Target, measurement: Measurement) -> bool:
    """Return whether a value lies beyond nearly all labels."""
    if target.label_range is None:
        return abs(measurement.z_of(measurement.value)) > MAX_TRAINING_SD
    low, high = target.label_range
    return not low <= measurement.value <= high


def _z_reference(
    module: InferenceModule, target: Target, sex: Optional[str], covariates: Covariates
) -> tuple[float, float, str]:
    """Return mean and SD of the z-score's reference, in the target's unit, and its words."""
    statistics = module.statistics()
    line = statistics.z_reference(target.name, sex, covariates) if statistics and sex else None
    if statistics is None or line is None:
        words = f"mean and SD of the training data of {module.name} {module.version}, both sexes"
        return target.mean / target.divisor, target.sd / target.divisor, words
    words = f"predictions for {sex} members of {statistics.reference}{line.same}"
    return line.mean(covariates), line.sd, words


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
