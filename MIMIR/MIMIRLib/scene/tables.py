"""Measurements as table nodes with typed columns."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import slicer
import vtk

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.marks import plain

#: JSON of a table's numbers, column by column: Slicer's table files keep only six digits.
NUMBERS_MARK = "MIMIR.Numbers"
#: JSON of what was noticed while reading the study, codes with sentences.
FINDINGS_MARK = "MIMIR.Findings"
RESEARCH_ONLY = "Research use only, not for diagnosis."
#: Two numbers that agree to this part are the same, but for the digits that a file left out.
FILE_PRECISION = 1e-5


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Stable name, for scripts and in exported files.
        values: Texts, or numbers with NaN for what is not known.
        title: What people read above the column; the name if empty.
        description: What the column holds.
        unit: Of all its numbers, where they share one.
    """

    name: str
    values: Sequence[Union[str, float]]
    title: str = ""
    description: str = ""
    unit: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the column holds texts."""
        return any(isinstance(value, str) for value in self.values)


def measurement_table(result: Any, name: str) -> Any:
    """A row a measurement; the node is not in a scene yet.

    Args:
        result: The engine's ``StudyResult``.
        name: The node's name.
    """
    columns = measurement_columns(result.measurements)
    node = table_node(columns, name)
    numbers = {c.name: [_or_none(v) for v in c.values] for c in columns if not c.is_text}
    node.SetAttribute(NUMBERS_MARK, json.dumps(numbers, allow_nan=False))
    findings = [{"code": f.code, "sentence": f.sentence} for f in result.findings]
    node.SetAttribute(FINDINGS_MARK, json.dumps(findings))
    return node


def measurement_columns(measurements: Sequence[Any]) -> list[Column]:
    """The columns of one study's table; a class has a score and no interval."""
    from mimir_engine.measuring.display_text import interval_text

    percent = f"{100 * measurements[0].level:g} %" if measurements else ""
    interval = f"bound of the {percent} interval, raw: it may lie below zero"

    def quantities(attribute: str) -> list[float]:
        return [_number(getattr(m, attribute) if m.kind != "class" else None) for m in measurements]

    return [
        Column("measurement", [plain(m.label) for m in measurements]),
        Column(
            "value",
            [_number(m.value) for m in measurements],
            description="the estimate, in the row's unit; for the sex a score, 0 female, 1 male",
        ),
        Column("unit", [plain(m.unit) for m in measurements]),
        Column(
            "interval",
            [interval_text(m) for m in measurements],
            f"{percent} interval",
            "its bounds as people read them: not below zero where the quantity cannot be",
        ),
        Column("lower", quantities("lower"), f"lower {percent}", f"lower {interval}"),
        Column("upper", quantities("upper"), f"upper {percent}", f"upper {interval}"),
        Column("SD", quantities("sd"), description="standard deviation of the estimate"),
        Column(
            "z",
            quantities("z_score"),
            "z-score",
            _said("z_reference", measurements, "standard deviations from "),
        ),
        Column(
            "percentile",
            quantities("percentile"),
            "percentile",
            _said("percentile_reference", measurements, "place among "),
            "%",
        ),
        Column("class", [plain(m.sex_label) for m in measurements], description="female or male"),
        Column("flags", ["; ".join(m.flags) for m in measurements]),
        Column("module", [plain(m.module) for m in measurements], "inference module"),
        Column("name", [plain(m.name) for m in measurements], description="as in predictions.csv"),
    ]


def cohort_table(results: Iterable[Any], name: str) -> Any:
    """A row a study; the node is not in a scene yet.

    The columns' names are those of the engine's ``predictions.csv``.
    """
    return table_node(cohort_columns(list(results)), name)


def cohort_columns(results: Sequence[Any]) -> list[Column]:
    """The columns of a cohort's table; NaN where a study lacks a measurement."""
    kinds = {m.name: m for result in results for m in result.measurements}
    rows = [{m.name: m for m in result.measurements} for result in results]
    measured = [column for kind in kinds.values() for column in _cohort_columns(kind, rows)]
    return [
        Column("name", [plain(result.name) for result in results], "study"),
        *measured,
        Column("flags", ["; ".join(result.flags) for result in results]),
    ]


def table_node(columns: Sequence[Column], name: str) -> Any:
    """A locked table with these columns, in double precision; not in a scene yet."""
    node = slicer.vtkMRMLTableNode()
    node.SetName(name)
    node.SetDescription(RESEARCH_ONLY)
    for column in columns:
        node.AddColumn(_array(column))
        node.SetColumnTitle(column.name, column.title or column.name)
        node.SetColumnDescription(column.name, plain(column.description))
        node.SetColumnUnitLabel(column.name, column.unit)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def column_values(node: Any, name: str) -> list[Any]:
    """A column of a table node: texts, or numbers in full precision also after reloading."""
    array = node.GetTable().GetColumnByName(name)
    values = [array.GetValue(row) for row in range(array.GetNumberOfTuples())]
    exact = json.loads(node.GetAttribute(NUMBERS_MARK) or "{}").get(name, ())
    if len(exact) != len(values):
        return values
    return [_exact(value, known) for value, known in zip(values, exact)]


def findings_of(node: Any) -> list[Mapping[str, str]]:
    """What was noticed while reading the study: ``code`` and ``sentence`` of each."""
    return json.loads(node.GetAttribute(FINDINGS_MARK) or "[]")


def _cohort_columns(kind: Any, rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    def column(suffix: str, attribute: str, words: str) -> Column:
        values = [_number(getattr(row.get(kind.name), attribute, None)) for row in rows]
        title = f"{kind.label} {words}".strip() + (f" ({kind.unit})" if kind.unit else "")
        return Column(f"{kind.name}_{suffix}", values, plain(title), unit=plain(kind.unit))

    if kind.kind == "class":
        return [column("male_score" if kind.sex_label else "score", "value", "score")]
    in_unit, percent = f"_in_{kind.unit}" if kind.unit else "", f"{100 * kind.level:g}"
    return [
        column(f"mean{in_unit}", "value", ""),
        column(f"sd{in_unit}", "sd", "SD"),
        column(f"lower{percent}", "lower", f"lower {percent} %"),
        column(f"upper{percent}", "upper", f"upper {percent} %"),
    ]


def _array(column: Column) -> Any:
    array = vtk.vtkStringArray() if column.is_text else vtk.vtkDoubleArray()
    array.SetName(column.name)
    for value in column.values:
        array.InsertNextValue(value)
    return array


def _said(attribute: str, measurements: Sequence[Any], before: str) -> str:
    said = dict.fromkeys(getattr(m, attribute) for m in measurements if m.kind != "class")
    texts = [text for text in said if text]
    return before + "; ".join(texts) if texts else ""


def _number(value: Optional[float]) -> float:
    return math.nan if value is None else float(value)


def _or_none(value: Any) -> Optional[float]:
    return None if math.isnan(value) else value


def _exact(value: Union[str, float], known: Optional[float]) -> Union[str, float]:
    if known is None or isinstance(value, str):
        return value
    return known if math.isclose(value, known, rel_tol=FILE_PRECISION) else value


#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(path: Union[str, Path], node: Any) -> None:
    """Write a table node as UTF-8: the columns' names, then the rows, numbers in full precision.

    Args:
        path: File to write; it is there whole or not at all.
        node: Any table node.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    import_engine()
    from mimir_engine.files.atomic import atomic_file

    table = node.GetTable()
    names = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    rows = zip(*(column_values(node, name) for name in names))
    with atomic_file(Path(path)) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(value) for value in row] for row in rows)
        text.detach()


def _cell(value: Union[str, float]) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_BEGINS) else value
    return "" if math.isnan(value) else repr(value)
