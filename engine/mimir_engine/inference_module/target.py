"""Define one target of an inference module, validated on construction."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import REQUIRED
from mimir_engine.inference_module.interval import Intervals, symmetric_intervals
from mimir_engine.inference_module.statistics import SEXES

INVALID = "MODULE_INVALID"
KINDS = ("quantity", "class")

TARGET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
UKB_FIELD = re.compile(r"([0-9][0-9.-]*)?")
SEX_FIELD = "31"


@dataclass(frozen=True)
class Target:
    """Describe one pair of the network's outputs and how it becomes a measurement.

    Attributes:
        name: Letters and digits, beginning with a letter.
        ukb_field: UK Biobank's field number, empty if it has none.
        unit: Unit of the measurement, e.g. ``L``; empty for a class or a bare number.
        divisor: Divisor from the network's unit to ``unit``: 1000 for mL to L.
        mean: Mean of the training data, in the network's unit (before the divisor).
        sd: Standard deviation of the training data, in the network's unit.
        variance_factor: Factor for the predicted variance, from held-out data.
        kind: ``quantity``, or ``class`` for a score between two classes (sex: 0 female, 1 male).
        non_negative: Whether the measurement cannot be below zero.
        mean_slope: Correction of the standardised mean m: ``mean_slope * m + mean_offset``.
        mean_offset: See ``mean_slope``; in standard deviations.
        conformal_quantiles: Before version 3, ``{level: q}``: the interval at that level is
            mean +- q * SD.
        conformal_quantiles_by_sex: Before version 3, the same for ``female`` and ``male``, used if
            the sex is certain; may be empty.
        intervals: What its intervals are made of; None before version 3, and without calibration.
        label_range: Values beyond which one in 1,000 labels lies at either end, in `unit`; None if
            they are not known.
    """

    name: str
    ukb_field: str
    unit: str
    divisor: float
    mean: float
    sd: float
    variance_factor: float = field(default=1.0, metadata=REQUIRED)
    kind: str = field(default="quantity", metadata=REQUIRED)
    non_negative: bool = field(default=False, metadata=REQUIRED)
    mean_slope: float = 1.0
    mean_offset: float = 0.0
    conformal_quantiles: Mapping[float, float] = field(default_factory=dict)
    conformal_quantiles_by_sex: Mapping[str, Mapping[float, float]] = field(default_factory=dict)
    intervals: Optional[Intervals] = None
    label_range: Optional[tuple[float, float]] = None

    def __post_init__(self) -> None:
        match(TARGET_NAME, self.name, "the target name")
        match(UKB_FIELD, self.ukb_field, f"the UK Biobank field of {self.name}")
        if not self.unit.isprintable() or set(self.unit) & set(',;"') or len(self.unit) > 20:
            raise MimirError(INVALID, f"the unit of {self.name} cannot be part of a column name")
        if self.kind not in KINDS:
            raise MimirError(INVALID, f"the kind of {self.name} must be {' or '.join(KINDS)}")
        for attribute in ("divisor", "sd", "variance_factor", "mean_slope"):
            if not 0 < getattr(self, attribute) < math.inf:
                raise MimirError(INVALID, f"the {attribute} of {self.name} must be above 0")
        if not (math.isfinite(self.mean) and math.isfinite(self.mean_offset)):
            raise MimirError(INVALID, f"the mean of {self.name} must be finite")
        if self.label_range is not None and not self.label_range[0] < self.label_range[1]:
            raise MimirError(INVALID, f"the label_range of {self.name} must increase")
        _check_quantiles(self.conformal_quantiles, self.name)
        for sex, quantiles in self.conformal_quantiles_by_sex.items():
            if sex not in SEXES:
                raise MimirError(INVALID, f"{self.name} has intervals for an unknown sex {sex!r}")
            _check_quantiles(quantiles, self.name)

    @cached_property
    def used_intervals(self) -> Intervals:
        """Its intervals, of any version; those of a class are Gaussian and not shown."""
        by_sex = self.conformal_quantiles_by_sex
        return self.intervals or symmetric_intervals(self.conformal_quantiles, by_sex)

    @property
    def is_conformal(self) -> bool:
        """Return whether its intervals are conformal, at the levels that were calibrated."""
        return any(part.levels for bins in self.used_intervals.bins.values() for part in bins)

    @property
    def is_sex(self) -> bool:
        """Return whether its score is the sex: 0 female, 1 male."""
        return self.kind == "class" and names_sex(self.name, self.ukb_field)

    @property
    def is_height(self) -> bool:
        """Return whether it is the body height in cm."""
        return self.name.lower() == "height" and self.unit == "cm"


def _check_quantiles(quantiles: Mapping[float, float], target: str) -> None:
    """Refuse quantiles out of range, or that give a narrower interval for a higher level."""
    for level, quantile in quantiles.items():
        if not (0 < level < 1 and 0 < quantile < math.inf):
            raise MimirError(INVALID, f"a conformal quantile of {target} is out of range")
    rising = [quantiles[level] for level in sorted(quantiles)]
    if rising != sorted(rising):
        raise MimirError(
            INVALID, f"the conformal quantiles of {target} must not decrease with the level"
        )


def names_sex(name: str, ukb_field: str) -> bool:
    """Return whether a target of this name or UK Biobank field is the sex."""
    return name == "sex" or ukb_field == SEX_FIELD


def match(pattern: re.Pattern[str], text: str, what: str) -> None:
    """Refuse text that does not match a pattern.

    Raises:
        MimirError: ``MODULE_INVALID``.
    """
    if not pattern.fullmatch(text):
        raise MimirError(INVALID, f"{what} {text[:60]!r} must match {pattern.pattern}")
