"""Numbers of one kind for all studies: a measurement, or how unusual the scan is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Optional

from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.errors import printable
from mimir_engine.labels.label_measurement import LabelMeasurement
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.measurement_group import naming_of
from mimir_engine.measuring.same_quantity import LABEL, PERCENT, Road

#: Most decimals that are shown.
MAX_DECIMALS = 6
#: Steps of what is shown that an SD has at least: with these, rounding is well below the error.
MIN_STEPS_PER_SD = 2
#: Significant digits of the median that are shown if there is no SD.
DIGITS = 3

#: Groups of columns, besides those of ``measurement_group``.
LABELS = "Labels"
DIRECTLY = "Measured directly"
#: Bins of a histogram.
BINS = 40

Numbers = tuple[Optional[float], Optional[float], Optional[float]]


@dataclass
class Column:
    """Numbers of all studies, gathered study by study.

    Attributes:
        label: What it is, for people.
        group: Group of measurements.
        unit: Unit; empty for a score.
        module: The inference module; empty for direct measurements.
        level: Of the intervals, e.g. ``95 %``; empty if there are none.
        rows: Value, lower and upper bound, by the study's number.
        sds: Standard deviations of estimates.
    """

    label: str
    group: str
    unit: str = ""
    module: str = ""
    level: str = ""
    rows: dict[int, Numbers] = field(default_factory=dict)
    sds: list[float] = field(default_factory=list)

    def add(
        self,
        study: int,
        value: Optional[float],
        lower: Optional[float] = None,
        upper: Optional[float] = None,
    ) -> None:
        """Add the numbers of a study; what is not finite is left out."""
        if _finite(value) is not None:
            self.rows[study] = (value, _finite(lower), _finite(upper))

    def to_json(self, studies: int) -> dict[str, Any]:
        """Return the column as JSON values, one per study, with one digit more than is shown.

        Intervals are texts; none at all if no study has one.
        """
        decimals = self._decimals()
        rows = [self.rows.get(study, (None,) * 3) for study in range(studies)]
        intervals = [_interval(lower, upper, decimals) for _, lower, upper in rows]
        unit = f" ({self.unit})" if self.unit else ""
        return {
            "label": printable(self.label),
            "title": printable(f"{self.label}{unit}"),
            "group": printable(self.group),
            "unit": printable(self.unit),
            "module": printable(self.module),
            "source": printable(self.module or self.group.lower()),
            "level": self.level,
            "decimals": decimals,
            "edges": self._edges(),
            "values": [_rounded(value, decimals + 1) for value, _, _ in rows],
            "intervals": intervals if any(intervals) else [],
        }

    def _edges(self) -> list[float]:
        """Return the lower edges of the bins of a histogram."""
        values = [value for value, _, _ in self.rows.values() if value is not None]
        low, high = min(values, default=0.0), max(values, default=0.0)
        width = (high - low) / BINS or 1.0
        return [low + n * width for n in range(BINS)]

    def _decimals(self) -> int:
        sizes = [abs(value) for value, _, _ in self.rows.values() if value]
        if self.sds:
            step = median(self.sds) / MIN_STEPS_PER_SD
            decimals = math.ceil(-math.log10(step)) if step > 0 else 0
        else:
            decimals = DIGITS - 1 - math.floor(math.log10(median(sizes))) if sizes else 0
        return min(max(decimals, 0), MAX_DECIMALS)


def column_of(measurement: Measurement) -> Column:
    """Return an empty column for the estimates of a target."""
    naming = naming_of(measurement.target)
    level = f"{100 * measurement.level:g} %"
    m, label = measurement, naming.label
    label = f"{label} (0 female, 1 male)" if m.is_sex else label
    return Column(label, naming.group, m.unit, f"{m.module} {m.module_version}", level)


def direct_column_of(quantity: DirectMeasurement) -> Column:
    """Return an empty column for a direct measurement."""
    naming = naming_of(f"direct_{quantity.name}")
    return Column(naming.label, naming.group, quantity.unit)


def label_columns_of(label: LabelMeasurement) -> tuple[Column, Column]:
    """Return empty columns for the volume and the fat fraction of a label."""
    return (
        Column(f"{label.title}: volume", LABELS, "L"),
        Column(f"{label.title}: signal fat fraction of inner voxels", LABELS, PERCENT),
    )


def sum_column_of(road: Road, unit: str) -> Column:
    """Return an empty column for measurements that are added up."""
    group = LABELS if road.kind == LABEL else DIRECTLY
    return Column(f"{road.name.replace('_', ' ')}", group, unit)


def _finite(value: Optional[float]) -> Optional[float]:
    return value if value is not None and math.isfinite(value) else None


def _interval(lower: Optional[float], upper: Optional[float], decimals: int) -> str:
    if lower is None or upper is None:
        return ""
    return f"{lower:.{decimals}f} to {upper:.{decimals}f}"


def _rounded(value: Optional[float], decimals: int) -> Optional[float]:
    return None if value is None else round(value, decimals)
