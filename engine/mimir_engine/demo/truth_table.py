"""Print measurements beside the known truth of a phantom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from mimir_engine.measuring.display_text import number, percentile_text
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.sex_label import sex_label


def truth_table(measurements: Sequence[Measurement], truth: Mapping[str, float]) -> str:
    """Format estimates beside the truth, as a table of text.

    Args:
        measurements: Measurements of one study.
        truth: True values by target name, in the measurements' units.
    """
    level = f"{100 * measurements[0].level:g} % interval"
    rows: list[tuple[str, ...]] = [
        ("measurement", "unit", "true", "estimate", level, "percentile", "")
    ]
    rows += [_row(m, truth.get(m.target)) for m in measurements]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(m: Measurement, true: Optional[float]) -> tuple[str, ...]:
    if m.kind == "class":
        true_sex = "" if true is None else sex_label(true)
        estimate = f"{m.sex_label} ({m.value:.2f})"
        return ("sex (score: 0 female, 1 male)", "", true_sex, estimate, "", "", "")
    is_known = true is not None and m.lower is not None
    inside = not is_known or m.lower_shown <= (true or 0.0) <= m.upper_shown
    return (
        m.target,
        m.unit,
        "" if true is None else number(true, m.sd),
        number(m.value, m.sd),
        m.interval_text,
        percentile_text(m.percentile),
        "" if inside else "truth outside",
    )
