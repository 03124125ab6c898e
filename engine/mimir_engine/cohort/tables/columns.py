"""The columns of ``predictions.csv`` and ``measurements.csv``: names, meaning, cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Union

from mimir_engine.cohort.tables.column import Cell, Column, Measured, id_number
from mimir_engine.cohort.tables.label_columns import LABEL_CELLS, label_columns
from mimir_engine.cohort.tables.styles import LONG, PUBLISHED, SHORT, STYLES
from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.errors import MimirError, one_line
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.measurement import Measurement
from mimir_engine.measuring.measurement_group import known_names, naming_of
from mimir_engine.measuring.short_names import short_name
from mimir_engine.measuring.study_result import StudyResult

#: What a column holds.
ID, ESTIMATE, SCORE, SD, VARIANCE = ("id", "estimate", "score", "standard deviation", "variance")
LOWER, UPPER, DIRECT, FLAGS = ("lower bound", "upper bound", "direct measurement", "flags")

#: The cell of each column of a measurement.
_CELLS: Mapping[str, Callable[[Measurement], Cell]] = {
    ESTIMATE: attrgetter("value"),
    SCORE: attrgetter("value"),
    SD: attrgetter("sd"),
    VARIANCE: lambda m: m.sd**2,
    LOWER: attrgetter("lower"),
    UPPER: attrgetter("upper"),
}


def table_columns(
    modules: Sequence[InferenceModule], level: float, style: str, labels: Sequence[str] = ()
) -> list[Column]:
    """Return the columns of a cohort's table.

    Args:
        modules: The inference modules, in their order.
        level: Level of the intervals.
        style: How the table names its columns, one of ``STYLES``; some are in one style only.
        labels: Names of the labels that have columns.

    Raises:
        MimirError: ``COLUMN_CONFLICT`` if two short names are the same or differ only in case. The
            rule for short names makes them differ, unless hashes are the same. ``WRONG_USE`` for an
            unknown style.
    """
    if style not in STYLES:
        raise MimirError(
            "WRONG_USE", f"unknown names of columns '{style}'", f"Use {', '.join(STYLES)}."
        )
    estimated = (
        column
        for module in modules
        for target in module.targets
        for column in _target_columns(module, target, level)
    )
    direct = (_direct_column(name, unit) for name, unit in QUANTITIES.items())
    columns = (
        _in_all_styles("name", ID, "Name of the study: its file name or UID"),
        _in_all_styles("eid", ID, "UK Biobank's participant; empty for other studies"),
        _in_all_styles("instance", ID, "UK Biobank's imaging visit; empty for other studies"),
        *estimated,
        *direct,
        *(column for name in labels for column in label_columns(name)),
        _in_all_styles("flags", FLAGS, "Codes of what was noticed, separated by semicolons"),
    )
    chosen = [column for column in columns if style in column.names]
    if style == SHORT:
        _check_short_names(chosen)
    return chosen


def table_row(result: StudyResult, columns: Sequence[Column]) -> list[Cell]:
    """Return a study's cells in these columns; bounds are raw, what is not known is None."""
    ids = {"eid": id_number(result.eid), "instance": id_number(result.instance)}
    own = {"name": result.name, **ids, "flags": ";".join(result.flags)}
    measured = {m.name: m for m in result.measurements}
    direct = {f"direct_{quantity.name}": quantity.value for quantity in result.direct}
    labels = {f"label_{label.name}": label for label in result.labels}
    cells: list[Cell] = []
    for column in columns:
        if column.what in _CELLS:
            m = measured.get(column.measured.name)
            cells.append(_CELLS[column.what](m) if m else None)
        elif column.what == DIRECT:
            cells.append(direct.get(column.measured.name))
        elif column.what in LABEL_CELLS:
            label = labels.get(column.measured.name)
            cells.append(LABEL_CELLS[column.what](label) if label else None)
        else:
            cells.append(own[column.names[LONG]])
    return cells


def measurement_columns(name: str, measured: Union[Target, Measurement], level: float) -> list[str]:
    """Return the long names of one measurement's columns.

    Args:
        name: Name of the measurement, with the module's column prefix.
        measured: The target or its measurement: unit and kind.
        level: Level of the interval.
    """
    parts = _parts(name, "", measured, f"{100 * level:g}")
    return [names[LONG] for names in parts.values() if LONG in names]


def _target_columns(module: InferenceModule, target: Target, level: float) -> list[Column]:
    """Return the columns of one target."""
    percent = f"{100 * level:g}"
    measured = Measured(
        module.column_prefix + target.name,
        short_name(target.name, module.column_prefix),
        naming_of(target.name).label,
        target.unit,
        target.ukb_field,
        module.name,
        one_line(module.version),
    )
    holds = {
        ESTIMATE: "estimate",
        SCORE: "score, 0 female and 1 male" if target.is_sex else "score of the class",
        SD: "standard deviation of the estimate",
        VARIANCE: "variance of the estimate",
        LOWER: f"lower bound of the {percent} % interval",
        UPPER: f"upper bound of the {percent} % interval",
    }
    return [
        Column(
            what,
            f"{measured.title}: {holds[what]}",
            names,
            f"({target.unit})^2" if what == VARIANCE and target.unit else target.unit,
            level if what in (LOWER, UPPER) else None,
            measured,
        )
        for what, names in _parts(measured.name, measured.short_name, target, percent).items()
    ]


def _parts(
    name: str, short: str, measured: Union[Target, Measurement], percent: str
) -> dict[str, dict[str, str]]:
    """Name the columns of one measurement: of each part, the names by style."""
    in_unit = f"_in_{measured.unit}" if measured.unit else ""
    mean, digits = f"{name}_mean{in_unit}", re.sub(r"\W", "_", percent)
    variance = {PUBLISHED: f"{name}_variance{in_unit}"}
    if measured.kind == "class":
        score = f"{name}_male_score" if measured.is_sex else f"{name}_score"
        return {
            SCORE: {LONG: score, SHORT: f"{short}_score", PUBLISHED: mean},
            VARIANCE: variance,
        }
    return {
        ESTIMATE: {LONG: mean, SHORT: short, PUBLISHED: mean},
        SD: {LONG: f"{name}_sd{in_unit}", SHORT: f"{short}_sd"},
        VARIANCE: variance,
        LOWER: {LONG: f"{name}_lower{percent}", SHORT: f"{short}_lo{digits}"},
        UPPER: {LONG: f"{name}_upper{percent}", SHORT: f"{short}_hi{digits}"},
    }


def _direct_column(name: str, unit: str) -> Column:
    known = known_names()[f"direct_{name}"]
    names = {LONG: direct_column(name), SHORT: known.short_name}
    measured = Measured(known.name, known.short_name, known.label, unit)
    return Column(DIRECT, known.label, names, unit, measured=measured)


def _in_all_styles(name: str, what: str, label: str) -> Column:
    return Column(what, label, {LONG: name, SHORT: name, PUBLISHED: name})


def _check_short_names(columns: Sequence[Column]) -> None:
    """Refuse short names that are the same or differ only in case."""
    owners: dict[str, Column] = {}
    for column in columns:
        name = column.names[SHORT]
        other = owners.setdefault(name.lower(), column)
        if other is not column:
            raise MimirError(
                "COLUMN_CONFLICT",
                f"the columns {other.names[LONG]} and {column.names[LONG]} have the same short"
                f" name, {name}",
                f"Use --columns long, or give a prefix: {column.measured.module}=PREFIX.",
            )
