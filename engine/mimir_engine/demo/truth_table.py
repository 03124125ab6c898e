"""Measurements as a table of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.wording import number, percentile_text


def truth_table(measurements: Sequence[Measurement], truth: Mapping[str, float]) -> str:
    """Estimates beside the known truth of a phantom.

    Args:
        measurements: Of one study.
        truth: True values by target name, in the measurements' units.
    """
    level = f"{100 * measurements[0].level:g} % interval"
    rows: list[tuple[str, ...]] = [
        ("measurement", "unit", "true", "estimate", level, "percentile", "")
    ]
    rows += [_row(m, truth.get(m.target.name)) for m in measurements]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(measurement: Measurement, true: Optional[float]) -> tuple[str, ...]:
    if measurement.target.kind == "class":
        truly = "" if true is None else ("male" if true else "female")
        said = f"{measurement.label} ({measurement.value:.2f})"
        return ("sex (score: 0 female, 1 male)", "", truly, said, "", "", "")
    low, high = measurement.lower_shown, measurement.upper_shown
    inside = true is None or low <= true <= high
    return (
        measurement.target.name,
        measurement.unit,
        "" if true is None else number(true, measurement.sd),
        number(measurement.value, measurement.sd),
        f"{number(low, measurement.sd)} to {number(high, measurement.sd)}",
        percentile_text(measurement.percentile),
        "" if inside else "truth outside",
    )
