"""Write measurements to table nodes with typed columns, and table nodes to CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

import slicer
import vtk

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.node_marks import single_line
from MIMIRLib.translate import tr as _

#: JSON of a table's numbers, column by column: Slicer's table files keep only six digits.
NUMBERS_MARK = "MIMIR.Numbers"
#: JSON of the findings of the study, with all fields.
FINDINGS_MARK = "MIMIR.Findings"
#: In the place of an inference module's name.
MEASURED_DIRECTLY = _("measured directly")
RESEARCH_ONLY = _("Research use only, not for diagnosis.")
#: Relative difference of a number and its rounded form in a file, at most.
FILE_PRECISION = 1e-5


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Stable name, for scripts and in exported files.
        values: Texts, or numbers with NaN for unknown ones.
        title: Header for people; the name if empty.
        description: Content of the column.
        unit: Unit of all its numbers, if they share one.
    """

    name: str
    values: Sequence[Union[str, float]]
    title: str = ""
    description: str = ""
    unit: str = ""

    @property
    def is_text(self) -> bool:
        """True if the column holds texts."""
        return any(isinstance(value, str) for value in self.values)


def measurement_table(result: Any, name: str) -> Any:
    """Return a table with one row per measurement; the node is not in a scene yet.

    The networks' measurements come first, then the direct ones, which have no interval.

    Args:
        result: The engine's ``StudyResult``.
        name: The node's name.
    """
    columns = measurement_columns([*result.measurements, *map(_direct_row, result.direct)])
    node = table_node(columns, name)
    numbers = {
        column.name: [None if math.isnan(float(value)) else value for value in column.values]
        for column in columns
        if not column.is_text
    }
    node.SetAttribute(NUMBERS_MARK, json.dumps(numbers, allow_nan=False))
    node.SetAttribute(FINDINGS_MARK, json.dumps([*_findings(result)]))
    return node


def _findings(result: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what checks found, then the inference modules that do not know such scans."""
    from mimir_engine.measuring.flags import UNUSUAL_SCAN

    yield from map(asdict, result.findings)
    for comparison in result.comparisons:
        if comparison.is_unusual:
            yield {
                "code": UNUSUAL_SCAN,
                "severity": "warning",
                "sentence": comparison.sentence.rstrip("."),
                "remedy": _("Look at the images. Do not rely on the values of {module}.").format(
                    module=comparison.module
                ),
            }


@dataclass(frozen=True)
class DirectRow:
    """A direct measurement as a row of the table: only the first five fields are known."""

    label: str
    value: Optional[float]
    unit: str
    name: str
    note: str
    module: str = MEASURED_DIRECTLY
    kind: str = "direct"
    level: Optional[float] = None
    interval_text: str = ""
    lower: Optional[float] = None
    upper: Optional[float] = None
    sd: Optional[float] = None
    z_score: Optional[float] = None
    z_reference: str = ""
    percentile: Optional[float] = None
    percentile_reference: str = ""
    sex_label: str = ""
    flags: tuple[str, ...] = ()


def _direct_row(quantity: Any) -> DirectRow:
    from mimir_engine.direct.direct_measurement import direct_column

    note = MEASURED_DIRECTLY
    if quantity.value is None:
        note = _("cannot be measured: {reason}").format(reason=quantity.reason)
    name = direct_column(quantity.name)
    return DirectRow(_direct_label(quantity), quantity.value, quantity.unit, name, note)


def measurement_columns(measurements: Sequence[Any]) -> list[Column]:
    """Return the columns of one study's table; a class has a score and no interval."""
    percent = next((f"{100 * m.level:g} %" for m in measurements if m.level), "")

    def quantities(attribute: str) -> list[float]:
        return [_number(getattr(m, attribute) if m.kind != "class" else None) for m in measurements]

    return [
        Column("measurement", [single_line(m.label) for m in measurements]),
        Column(
            "value",
            [_number(m.value) for m in measurements],
            description=_("the estimate, in the row's unit; for sex a score, 0 female, 1 male"),
        ),
        Column("unit", [single_line(m.unit) for m in measurements]),
        Column(
            "interval",
            [m.interval_text for m in measurements],
            _("{percent} interval").format(percent=percent),
            _("rounded bounds; not below zero if the quantity cannot be negative"),
        ),
        *(
            Column(
                side,
                quantities(side),
                f"{word} {percent}",
                _("{side} bound of the {percent} interval; it may lie below zero").format(
                    side=word, percent=percent
                ),
            )
            for side, word in (("lower", _("lower")), ("upper", _("upper")))
        ),
        Column("SD", quantities("sd"), description=_("standard deviation of the estimate")),
        Column(
            "z",
            quantities("z_score"),
            _("z-score"),
            _reference("z_reference", measurements, _("standard deviations from {reference}")),
        ),
        Column(
            "percentile",
            quantities("percentile"),
            _("percentile"),
            _reference("percentile_reference", measurements, _("place among {reference}")),
            "%",
        ),
        Column(
            "class",
            [single_line(m.sex_label) for m in measurements],
            description=_("female or male"),
        ),
        Column("flags", ["; ".join(m.flags) for m in measurements]),
        Column("note", [single_line(getattr(m, "note", "")) for m in measurements]),
        Column("module", [single_line(m.module) for m in measurements], _("inference module")),
        Column(
            "name",
            [single_line(m.name) for m in measurements],
            description=_("as in predictions.csv"),
        ),
    ]


def cohort_table(results: Sequence[Any], name: str) -> Any:
    """Return a table with one row per study; the node is not in a scene yet.

    The columns' names are those of the engine's ``predictions.csv``; a measurement that a study
    lacks is NaN.
    """
    kinds = {m.name: m for result in results for m in result.measurements}
    rows = [{m.name: m for m in result.measurements} for result in results]
    columns = [
        Column("name", [single_line(result.name) for result in results], _("study")),
        *(column for kind in kinds.values() for column in _cohort_columns(kind, rows)),
        *_direct_columns(results),
        Column("flags", ["; ".join(result.flags) for result in results]),
    ]
    return table_node(columns, name)


def table_node(columns: Sequence[Column], name: str) -> Any:
    """Return a locked table with these columns, in double precision; not in a scene yet."""
    node = slicer.vtkMRMLTableNode()
    node.SetName(name)
    node.SetDescription(RESEARCH_ONLY)
    for column in columns:
        node.AddColumn(_array(column))
        node.SetColumnTitle(column.name, column.title or column.name)
        node.SetColumnDescription(column.name, single_line(column.description))
        node.SetColumnUnitLabel(column.name, column.unit)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    return node


def column_values(node: Any, name: str) -> list[Any]:
    """Return a column's texts, or its numbers in full precision, also after reloading.

    Tables of earlier versions have fewer columns; a missing one gives empty texts.
    """
    array = node.GetTable().GetColumnByName(name)
    if array is None:
        return [""] * node.GetNumberOfRows()
    values = [array.GetValue(row) for row in range(array.GetNumberOfTuples())]
    exact = json.loads(node.GetAttribute(NUMBERS_MARK) or "{}").get(name, ())
    if len(exact) != len(values):
        return values
    return [_exact(value, known) for value, known in zip(values, exact)]


def findings_of(node: Any) -> list[Mapping[str, Any]]:
    """Return the findings of the study, each with the fields of the engine's ``Finding``."""
    return json.loads(node.GetAttribute(FINDINGS_MARK) or "[]")


def _cohort_columns(kind: Any, rows: Sequence[Mapping[str, Any]]) -> Iterator[Column]:
    from mimir_engine.cohort.result_files import measurement_columns as csv_columns

    percent = f"{100 * kind.level:g} %"
    words = {
        "value": "",
        "sd": _("SD"),
        "lower": _("lower {percent}"),
        "upper": _("upper {percent}"),
    }
    if kind.kind == "class":
        words = {"value": _("score")}
    for name, (attribute, word) in zip(csv_columns(kind.name, kind, kind.level), words.items()):
        title = f"{kind.label} {word.format(percent=percent)}".strip()
        title += f" ({kind.unit})" if kind.unit else ""
        values = [_number(getattr(row.get(kind.name), attribute, None)) for row in rows]
        yield Column(name, values, single_line(title), unit=single_line(kind.unit))


def _direct_columns(results: Sequence[Any]) -> Iterator[Column]:
    from mimir_engine.direct.direct_measurement import direct_column

    rows = [{quantity.name: quantity.value for quantity in result.direct} for result in results]
    for quantity in {q.name: q for result in results for q in result.direct}.values():
        title = f"{_direct_label(quantity)} ({quantity.unit})"
        values = [_number(row.get(quantity.name)) for row in rows]
        yield Column(direct_column(quantity.name), values, title, MEASURED_DIRECTLY, quantity.unit)


def _direct_label(quantity: Any) -> str:
    return str(quantity.name).replace("_", " ")


def _array(column: Column) -> Any:
    array = vtk.vtkStringArray() if column.is_text else vtk.vtkDoubleArray()
    array.SetName(column.name)
    for value in column.values:
        array.InsertNextValue(value)
    return array


def _reference(attribute: str, measurements: Sequence[Any], text: str) -> str:
    references = dict.fromkeys(getattr(m, attribute) for m in measurements if m.kind != "class")
    names = "; ".join(filter(None, references))
    return text.format(reference=names) if names else ""


def _number(value: Optional[float]) -> float:
    return math.nan if value is None else float(value)


def _exact(value: Union[str, float], known: Optional[float]) -> Union[str, float]:
    if known is None or isinstance(value, str):
        return value
    return known if math.isclose(value, known, rel_tol=FILE_PRECISION) else value


def write_table(path: Union[str, Path], node: Any) -> None:
    """Write a table node as CSV: the columns' names, then the rows, numbers in full precision.

    Args:
        path: File to write, atomically.
        node: Any table node.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    import_engine()
    from mimir_engine.files.csv_writer import write_csv

    table = node.GetTable()
    names = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    write_csv(Path(path), names, zip(*(column_values(node, name) for name in names)))
