"""Tables of strangers, row by row: CSV or Parquet, with the place of whatever is wrong."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from mimir_engine.errors import MimirError
from mimir_engine.extras import require
from mimir_engine.plain_text import from_cell

#: Characters of a line. A row of the 71 published measurements takes some 6,000.
LONGEST_LINE = 1_000_000
#: Rows of a table: 100,000 studies of the published measurements are 7 million.
MOST_ROWS = 20_000_000
#: Numbers beyond these would overflow when squared; no measurement is that large.
LARGEST = 1e30
#: As would an error divided by a smaller SD.
SMALLEST_SD = 1e-30
#: How a gap is spelt, in lower case.
MISSING = ("", "na", "nan", "null", "none")


@dataclass(frozen=True)
class Table:
    """A table that is being read; exists while its file is open.

    Attributes:
        name: Of the file, for messages.
        columns: The header, each name once.
        rows: Line (or row) number and cells, one for each column: text, or Parquet's values.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[Any]]]

    def index(self, column: str) -> int:
        """The place of a column that must be there."""
        if column not in self.columns:
            raise invalid(self.name, f"has no column '{column}'")
        return self.columns.index(column)

    def number(self, cell: Any, line: int, column: str, is_sd: bool = False) -> float:
        """A cell of these rows as a number, NaN where it is a gap."""
        try:
            value = to_number(cell)
        except ValueError as error:
            raise invalid(self.name, str(error), line, column) from None
        if is_sd and value < SMALLEST_SD:
            raise invalid(self.name, f"'{cell}' is no SD, which is above 0", line, column)
        return value


def invalid(name: str, what: str, line: int = 0, column: str = "") -> MimirError:
    """The one sentence about a bad table."""
    place = f", line {line}" if line else ""
    place += f", column '{column}'" if column else ""
    return MimirError(
        "PREDICTIONS_INVALID",
        f"'{name}'{place}: {what}" if place else f"'{name}' {what}",
        "See docs/training.md for the tables that can be judged.",
    )


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """A table as its rows; Parquet by the file's ending, else CSV in UTF-8 with commas.

    Raises:
        MimirError: ``PREDICTIONS_INVALID``; ``EXTRA_MISSING`` for Parquet without pyarrow.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            yield _parquet_table(path)
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield _csv_table(path.name, file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise invalid(path.name, f"cannot be read ({reason})") from error
    except UnicodeDecodeError as error:
        raise invalid(path.name, "is no text in UTF-8") from error


def _csv_table(name: str, file: TextIO) -> Table:
    reader = csv.reader(_lines(name, file), strict=True)
    rows = _csv_rows(name, reader)
    _, header = next(rows, (0, []))
    columns = _header(name, header)
    return Table(name, columns, _as_wide_as(name, len(columns), rows))


def _lines(name: str, file: TextIO) -> Iterator[str]:
    """Lines of bounded length: a file without line ends must not fill the memory."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise invalid(name, f"is longer than {LONGEST_LINE:,} characters", number)
        yield line


def _csv_rows(name: str, reader: Any) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise invalid(name, f"is no CSV ({error})", reader.line_num) from error
        if row:
            yield reader.line_num, row


def _as_wide_as(
    name: str, width: int, rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, Sequence[str]]]:
    for count, (line, row) in enumerate(rows):
        if len(row) != width:
            raise invalid(name, f"has {len(row)} cells, the header {width}", line)
        if count == MOST_ROWS:
            raise invalid(name, f"there are more than {MOST_ROWS:,} rows", line)
        yield line, row


def _parquet_table(path: Path) -> Table:
    require("parquet")
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(path)
        if file.metadata.num_rows > MOST_ROWS:
            raise invalid(path.name, f"has more than {MOST_ROWS:,} rows")
        columns = _header(path.name, file.schema_arrow.names)
    except ArrowException as error:
        raise invalid(path.name, "is no Parquet file") from error

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        number = 0
        try:
            for batch in file.iter_batches():
                for row in zip(*(column.to_pylist() for column in batch.columns)):
                    number += 1
                    yield number, row
        except ArrowException as error:
            raise invalid(path.name, "is damaged", number + 1) from error

    return Table(path.name, columns, rows())


def _header(name: str, header: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in header)
    if not columns:
        raise invalid(name, "is empty")
    repeated = next((c for i, c in enumerate(columns) if c in columns[:i]), None)
    if repeated is not None:
        raise invalid(name, f"has two columns '{repeated}'", 1)
    return columns


def to_number(cell: Any) -> float:
    """A cell as a number, NaN where it is a gap.

    Raises:
        ValueError: It is neither, or beyond all measure; the text says so.
    """
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING):
        return math.nan
    if isinstance(cell, str) and "_" in cell:  # Python's own spelling of thousands
        raise ValueError(f"'{cell}' is no number")
    try:
        value = float(cell)
    except (ValueError, TypeError):
        raise ValueError(f"'{cell}' is no number") from None
    if abs(value) > LARGEST:
        raise ValueError(f"'{cell}' is no finite measurement")
    return value


def to_text(cell: Any) -> str:
    """A cell as text; the sign that keeps spreadsheets from computing it is taken off."""
    return "" if cell is None else from_cell(str(cell))
