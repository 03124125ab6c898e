"""Sex, age, height and weight of the patient according to the headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from mimir_engine.headers.number_text import decimal

#: Plausible values of adults and youths; others stand for "unknown", such as 0, 1 or 999.
MIN_AGE, MAX_AGE = 10.0, 115.0
#: In cm. Heights are in metres (PS3.3 C.7.2.2); some scanners write centimetres.
MIN_HEIGHT, MAX_HEIGHT = 120.0, 230.0
#: In kg.
MIN_WEIGHT, MAX_WEIGHT = 25.0, 350.0

_AGE = re.compile(r"(\d{3})Y")
_SEXES = {"M": "male", "F": "female"}


@dataclass(frozen=True)
class PatientTraits:
    """What the headers tell of the patient, only to compare it with estimates; never shown.

    Attributes:
        sex: ``female`` or ``male``; empty if unknown.
        age: In years; None if unknown, like the others.
        height: In cm.
        weight: In kg.
    """

    sex: str = ""
    age: Optional[float] = None
    height: Optional[float] = None
    weight: Optional[float] = None


def patient_traits(tags: Mapping[str, object]) -> PatientTraits:
    """Read the traits from a header; implausible ones are unknown.

    Examples:
        >>> patient_traits({"PatientSex": "F", "PatientAge": "064Y", "PatientSize": "1.68"})
        PatientTraits(sex='female', age=64.0, height=168.0, weight=None)
    """
    age = _AGE.fullmatch(str(tags.get("PatientAge", "")))
    height = decimal(tags.get("PatientSize", ""))
    return PatientTraits(
        _SEXES.get(str(tags.get("PatientSex", "")), ""),
        _between(float(age[1]) if age else None, MIN_AGE, MAX_AGE),
        _between(height, MIN_HEIGHT, MAX_HEIGHT)
        or _between(height and round(100 * height, 1), MIN_HEIGHT, MAX_HEIGHT),
        _between(decimal(tags.get("PatientWeight", "")), MIN_WEIGHT, MAX_WEIGHT),
    )


def _between(value: Optional[float], low: float, high: float) -> Optional[float]:
    return value if value is not None and low <= value <= high else None
