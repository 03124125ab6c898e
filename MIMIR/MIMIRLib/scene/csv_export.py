"""Table nodes as CSV files."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any, Union

from MIMIRLib.engine_place import import_engine
from MIMIRLib.scene.tables import column_values

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
    from mimir_engine.whole_files import whole_file

    table = node.GetTable()
    names = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    rows = zip(*(column_values(node, name) for name in names))
    with whole_file(Path(path)) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(value) for value in row] for row in rows)
        text.detach()


def _cell(value: Union[str, float]) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_BEGINS) else value
    return "" if math.isnan(value) else repr(value)
