"""Write CSV files atomically, with text that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Generic, TypeVar

from mimir_engine.files.atomic import atomic_file

#: First characters that make a spreadsheet take a cell for a formula (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Row = Sequence[object]
Item = TypeVar("Item")


@dataclass(frozen=True)
class CsvTable(Generic[Item]):
    """One of several tables of the same items.

    Attributes:
        path: File to write.
        columns: Header.
        rows: Returns the rows of one item.
    """

    path: Path
    columns: Sequence[str]
    rows: Callable[[Item], Iterable[Row]]


def write_tables(tables: Sequence[CsvTable[Item]], items: Iterable[Item]) -> list[int]:
    """Write several tables while the items are gone through once; see `write_csv`.

    Returns:
        The number of rows of each table.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    counts = [0] * len(tables)
    with ExitStack() as stack:
        files = [stack.enter_context(_csv_file(t.path, t.columns, "utf-8")) for t in tables]
        for item in items:
            for k, (table, add_rows) in enumerate(zip(tables, files)):
                rows = [*table.rows(item)]
                add_rows(rows)
                counts[k] += len(rows)
    return counts


def write_csv(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Row],
    encoding: str = "utf-8",
) -> None:
    """Write a header and rows.

    Args:
        path: File to write.
        columns: Header.
        rows: Cells. Text is escaped by `escape_cell`; numbers are written in full precision and
            never escaped; None and NaN become empty cells.
        encoding: ``utf-8-sig`` for a file that Excel opens with all letters.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with _csv_file(path, columns, encoding) as add_rows:
        add_rows(rows)


@contextmanager
def _csv_file(
    path: Path, columns: Sequence[str], encoding: str
) -> Iterator[Callable[[Iterable[Row]], None]]:
    """Begin a table; the function that is given adds rows to it."""
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding=encoding, newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([escape_cell(column) for column in columns])
        yield lambda rows: writer.writerows([_cell(cell) for cell in row] for row in rows)
        text.detach()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return escape_cell(value)
    return None if value != value else value  # only NaN differs from itself


def escape_cell(text: str) -> str:
    """Put a quote before text that looks like a formula; `unescape_cell` removes it.

    Text that looks escaped gets a quote, too, so that every text survives.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) or _looks_escaped(text) else text


def unescape_cell(text: str) -> str:
    """Return the text that `escape_cell` was given."""
    return text[1:] if _looks_escaped(text) else text


def _looks_escaped(text: str) -> bool:
    return text[:1] == "'" and text[1:].startswith((*FORMULA_STARTS, "'"))
