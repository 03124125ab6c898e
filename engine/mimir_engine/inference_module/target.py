"""One target of an inference module, and how ``module.json`` holds it: it cannot exist wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.json_record import Record
from mimir_engine.inference_module.statistics import SEXES

INVALID = "MODULE_INVALID"
KINDS = ("quantity", "class")

TARGET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
UKB_FIELD = re.compile(r"([0-9][0-9.-]*)?")
SEX_FIELD = "31"


@dataclass(frozen=True)
class Target:
    """What one pair of the network's outputs means, and how it becomes a measurement.

    Attributes:
        name: Letters and digits, beginning with a letter.
        ukb_field: UK Biobank's field number, empty where there is none.
        unit: Unit of the measurement, e.g. ``L``; empty for a class or a bare number.
        divisor: What the network's unit is divided by to give ``unit``: 1000 for mL to L.
        mean: Mean of the training data, in the network's unit (before the divisor).
        sd: Standard deviation of the training data, in the network's unit.
        variance_factor: What the predicted variance is multiplied by, from held-out data.
        kind: ``quantity``, or ``class`` for a score between two classes (sex: 0 female, 1 male).
        non_negative: Whether the measurement cannot be below zero.
        mean_slope: Correction of the standardised mean m: ``mean_slope * m + mean_offset``.
        mean_offset: See ``mean_slope``; in standard deviations.
        conformal_quantiles: ``{level: q}``: the interval at that level is mean +- q * SD; for other
            levels see :mod:`mimir_engine.inference_module.target`.
        conformal_quantiles_by_sex: The same for ``female`` and ``male``, used where the sex is
            certain; may be empty.
    """

    name: str
    ukb_field: str
    unit: str
    divisor: float
    mean: float
    sd: float
    variance_factor: float = 1.0
    kind: str = "quantity"
    non_negative: bool = False
    mean_slope: float = 1.0
    mean_offset: float = 0.0
    conformal_quantiles: Mapping[float, float] = field(default_factory=dict)
    conformal_quantiles_by_sex: Mapping[str, Mapping[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        match(TARGET_NAME, self.name, "the target name")
        match(UKB_FIELD, self.ukb_field, f"the UK Biobank field of {self.name}")
        if not self.unit.isprintable() or set(self.unit) & set(',;"') or len(self.unit) > 20:
            raise MimirError(INVALID, f"the unit of {self.name} does not fit a column's name")
        if self.kind not in KINDS:
            raise MimirError(INVALID, f"the kind of {self.name} is none of {', '.join(KINDS)}")
        for attribute in ("divisor", "sd", "variance_factor", "mean_slope"):
            if not 0 < getattr(self, attribute) < math.inf:
                raise MimirError(INVALID, f"the {attribute} of {self.name} is not above zero")
        if not (math.isfinite(self.mean) and math.isfinite(self.mean_offset)):
            raise MimirError(INVALID, f"the mean of {self.name} is not finite")
        _check_quantiles(self.conformal_quantiles, self.name)
        for sex, quantiles in self.conformal_quantiles_by_sex.items():
            if sex not in SEXES:
                raise MimirError(INVALID, f"{self.name} has intervals for an unknown sex {sex!r}")
            _check_quantiles(quantiles, self.name)

    @property
    def is_sex(self) -> bool:
        """Whether its score tells the sex: 0 female, 1 male."""
        return self.kind == "class" and names_sex(self.name, self.ukb_field)


def _check_quantiles(quantiles: Mapping[float, float], target: str) -> None:
    """Refuse what makes no interval, or a narrower one for a wider level."""
    for level, quantile in quantiles.items():
        if not (0 < level < 1 and 0 < quantile < math.inf):
            raise MimirError(INVALID, f"a conformal quantile of {target} makes no interval")
    rising = [quantiles[level] for level in sorted(quantiles)]
    if rising != sorted(rising):
        raise MimirError(INVALID, f"the conformal quantiles of {target} fall with their level")


def names_sex(name: str, ukb_field: str) -> bool:
    """Whether a target of this name or UK Biobank field is the sex."""
    return name == "sex" or ukb_field == SEX_FIELD


def target_to_record(target: Target) -> dict[str, Any]:
    """What ``module.json`` says of the target."""
    return {
        **asdict(target),
        "conformal_quantiles": _by_level_text(target.conformal_quantiles),
        "conformal_quantiles_by_sex": {
            sex: _by_level_text(quantiles)
            for sex, quantiles in target.conformal_quantiles_by_sex.items()
        },
    }


def target_from_record(record: Record) -> Target:
    """A target as a JSON object says it.

    Raises:
        MimirError: the record's, or ``MODULE_INVALID``.
    """
    levels = record.optional_record("conformal_quantiles")
    by_sex = record.optional_record("conformal_quantiles_by_sex")
    target = Target(
        name=record.text("name"),
        ukb_field=record.text("ukb_field", ""),
        unit=record.text("unit"),
        divisor=record.number("divisor"),
        mean=record.number("mean"),
        sd=record.number("sd"),
        variance_factor=record.number("variance_factor"),
        kind=record.text("kind"),
        non_negative=record.boolean("non_negative"),
        mean_slope=record.number("mean_slope", 1.0),
        mean_offset=record.number("mean_offset", 0.0),
        conformal_quantiles={} if levels is None else _conformal_quantiles(levels),
        conformal_quantiles_by_sex={}
        if by_sex is None
        else {sex: _conformal_quantiles(by_sex.record(sex)) for sex in by_sex.unread()},
    )
    record.done()
    return target


def match(pattern: re.Pattern[str], text: str, what: str) -> None:
    """Raises MimirError MODULE_INVALID where the text is not of that form."""
    if not pattern.fullmatch(text):
        raise MimirError(INVALID, f"{what} {text[:60]!r} is not of the form {pattern.pattern}")


def _conformal_quantiles(record: Record) -> dict[float, float]:
    quantiles = {}
    for key in record.unread():
        try:
            level = float(key)
        except ValueError:
            record.refuse(f"has {key[:40]!r} where a level is expected")
        quantiles[level] = record.number(key)
    return quantiles


def _by_level_text(quantiles: Mapping[float, float]) -> dict[str, float]:
    return {f"{level:g}": quantile for level, quantile in quantiles.items()}


def gaussian_quantile(level: float) -> float:
    """Half the width, in standard deviations, of the Gaussian's central interval of this level."""
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def half_width_in_sd(conformal_quantiles: Mapping[float, float], level: float) -> float:
    """Half the interval's width in standard deviations; see the rule above.

    Args:
        conformal_quantiles: ``{level: quantile}``, not falling with the level; may be empty.
        level: Share of the intervals that hold the true value, between 0 and 1.
    """
    z = gaussian_quantile(level)
    if not conformal_quantiles:
        return z
    levels = sorted(conformal_quantiles)
    knots = [gaussian_quantile(known) for known in levels]
    quantiles = [conformal_quantiles[known] for known in levels]
    if z > knots[-1] and not np.isclose(level, levels[-1], rtol=0, atol=1e-9):
        return z * max(1.0, quantiles[-1] / knots[-1])
    return float(np.interp(z, [0.0, *knots], [0.0, *quantiles]))
