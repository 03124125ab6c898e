"""Show a study's measurements as rows of the panel's table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

from MIMIRLib.presenter.table_row import Cell, Row, TableColumn
from MIMIRLib.scene.shown_measurement import ShownMeasurement, percent_of
from MIMIRLib.translate import tr as _


def measurement_columns(shown: Sequence[ShownMeasurement]) -> list[TableColumn]:
    """Return the columns of a study's measurements; some are hidden until the user wants them."""
    percent = percent_of(shown)
    interval = _("{percent} interval").format(percent=percent) if percent else _("Interval")
    return [
        TableColumn("measurement", _("Measurement"), _("Ticked ones are in the chart.")),
        TableColumn("estimate", _("Estimate")),
        TableColumn("interval", interval),
        TableColumn(
            "other_ways",
            _("Other ways"),
            _("The same quantity by other ways, each by its own definition: point at one."),
            is_shown=any(one.others for one in shown),
        ),
        TableColumn("percentile", _("Percentile"), _("Place in the reference population.")),
        TableColumn("z", _("z-score"), _("Standard deviations from the reference's mean.")),
        TableColumn("flags", _("Flags"), _("Explained below the table.")),
        TableColumn("lower", _("Lower bound"), is_shown=False),
        TableColumn("upper", _("Upper bound"), is_shown=False),
        TableColumn("sd", _("SD"), _("Standard deviation of the estimate."), is_shown=False),
        TableColumn("group", _("Group"), is_shown=False),
        TableColumn("module", _("Inference module"), is_shown=False),
        TableColumn("name", _("Name in files"), is_shown=False),
    ]


def measurement_row(one: ShownMeasurement, ticked: bool) -> Row:
    """Return one measurement as a row; its key is its name.

    Args:
        one: The measurement.
        ticked: Whether the chart shows it.
    """
    missing = one.note if one.value is None else ""
    return Row(
        one.name,
        (
            Cell(one.label, tooltip=one.title),
            Cell(one.estimate, order_of(one.value), _estimate_tooltip(one)),
            Cell(missing or one.interval, order_of(one.lower), one.note),
            Cell(one.others, tooltip=one.definitions),
            Cell(one.percentile_text, order_of(one.percentile)),
            Cell(one.z_text, order_of(one.z)),
            flags_cell(one.flags),
            Cell(one.lower_text, order_of(one.lower)),
            Cell(one.upper_text, order_of(one.upper)),
            Cell(one.sd_text, order_of(None if one.is_class else one.sd)),
            Cell(one.group),
            Cell(one.module),
            Cell(one.name),
        ),
        ticked,
    )


def flags_cell(flags: Sequence[str]) -> Cell:
    """Return codes as a cell; the tooltip explains them."""
    return Cell("; ".join(flags), tooltip="\n".join(flag_sentences(flags)))


def flag_sentences(flags: Sequence[str]) -> list[str]:
    """Return the meaning of each flag in a sentence."""
    from mimir_engine.measuring.flags import flag_sentence

    return [flag_sentence(code) for code in flags]


def order_of(value: Optional[float]) -> float:
    """Return the sort key of a number: unknown ones come last."""
    return math.inf if value is None else value


def _estimate_tooltip(one: ShownMeasurement) -> str:
    if not one.is_sex:
        return ""
    text = _("The network's score is {score:.2f}: 0 is female, 1 is male.")
    return text.format(score=one.value)
