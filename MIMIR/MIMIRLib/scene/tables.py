"""Make table nodes with typed columns, and read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import slicer
import vtk

from MIMIRLib.scene.node_marks import single_line
from MIMIRLib.translate import tr as _

RESEARCH_ONLY = _("Research use only, not for diagnosis.")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Stable name, for scripts.
        values: Texts, or numbers with NaN for unknown ones. Slicer shows six digits of a number and
            "nan" for NaN, and writes the same to its files; so tables for people have texts.
        title: Header for people; the name if empty.
        description: Content of the column.
    """

    name: str
    values: Sequence[Union[str, float]]
    title: str = ""
    description: str = ""

    @property
    def is_text(self) -> bool:
        """True if the column holds texts."""
        return any(isinstance(value, str) for value in self.values)


def table_node(columns: Sequence[Column], name: str) -> Any:
    """Return a locked table with these columns; not in a scene yet.

    No cell of the first column may be empty: Slicer's reader would drop it.
    """
    node = slicer.vtkMRMLTableNode()
    node.SetName(name)
    fill_table(node, columns)
    return node


def fill_table(node: Any, columns: Sequence[Column]) -> None:
    """Replace the columns of a table by these; numbers are in double precision."""
    locked_once = node.StartModify()
    node.SetLocked(False)
    node.RemoveAllColumns()
    for column in columns:
        node.AddColumn(_array(column))
        node.SetColumnTitle(column.name, column.title or column.name)
        node.SetColumnDescription(column.name, single_line(column.description))
    node.SetDescription(RESEARCH_ONLY)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.EndModify(locked_once)


def column_values(node: Any, name: str) -> list[Any]:
    """Return a column's texts or numbers; empty texts if the table has no such column."""
    array = node.GetTable().GetColumnByName(name)
    if array is None:
        return [""] * node.GetNumberOfRows()
    return [array.GetValue(row) for row in range(array.GetNumberOfTuples())]


def digits(value: Optional[float]) -> str:
    """Return a number with all digits, as a text; empty if it is not known."""
    return "" if value is None else repr(float(value))


def _array(column: Column) -> Any:
    array = vtk.vtkStringArray() if column.is_text else vtk.vtkDoubleArray()
    array.SetName(column.name)
    for value in column.values:
        array.InsertNextValue(value)
    return array
