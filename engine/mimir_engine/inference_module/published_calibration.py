"""Read how the published measurements did on a later test, which their scans were not part of."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import get_type_hints


@dataclass(frozen=True)
class LaterTest:
    """Accuracy and calibration of a published measurement on about 15,000 later references.

    The figures are those of the publication's test report.

    Attributes:
        name: As in the catalogue of published measurements.
        n: Number of references.
        r2: Coefficient of determination.
        mae: Mean absolute error, in the measurement's unit.
        mape_percent: Mean absolute error relative to the reference, in percent.
        auce_unscaled: Area between coverage and level of Gaussian intervals in cross-validation,
            before variances are scaled; 0 is perfect, 0.5 the worst.
        auce_crossvalidation: The same after scaling.
        auce: The same after scaling, on the later test.
    """

    name: str
    n: int
    r2: float
    mae: float
    mape_percent: float
    auce_unscaled: float
    auce_crossvalidation: float
    auce: float


@lru_cache(maxsize=1)
def later_tests() -> Mapping[str, LaterTest]:
    """Return the later tests by the name of the measurement; many measurements have none."""
    text = Path(__file__).with_suffix(".csv").read_text("utf-8")
    types = get_type_hints(LaterTest)
    rows = csv.DictReader(text.splitlines())
    tests = [LaterTest(**{name: types[name](value) for name, value in row.items()}) for row in rows]
    return MappingProxyType({test.name: test for test in tests})
