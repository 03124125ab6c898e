"""Tables of strangers, row by row: CSV or Parquet, with the place of whatever is wrong."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import unescape_cell
from mimir_engine.files.optional_packages import require

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
    return "" if cell is None else unescape_cell(str(cell))


#: Studies × targets held in memory at once.
MOST_CELLS = 20_000_000
#: The columns that are text and no groups.
TEXTS = ("study", "target", "unit")


@dataclass(frozen=True, eq=False)
class Cells:
    """The rows of a tidy table, column-wise, before they are laid out by study and target."""

    table: str
    studies: Mapping[str, int]
    targets: Mapping[str, int]
    units: list[str]
    #: Name of each group, and each study's entries.
    group_names: tuple[str, ...]
    memberships: list[tuple[str, ...]]
    #: Row's line, study and target.
    lines: array[int]
    rows: array[int]
    columns: array[int]
    numbers: Mapping[str, array[float]]

    def dense(self, name: str) -> np.ndarray:
        """A column of numbers as float64 (studies, targets), NaN where there is no row."""
        values = np.full((len(self.studies), len(self.targets)), np.nan)
        values[np.asarray(self.rows), np.asarray(self.columns)] = self.numbers[name]
        return values

    def groups(self) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(m[i] for m in self.memberships) for i, name in enumerate(self.group_names)
        }


def read_cells(table: Table, numbers: Mapping[str, str]) -> Cells:
    """Read all rows of a tidy table.

    Args:
        table: With columns ``study`` and ``target``; ``unit`` if known.
        numbers: Names to give the columns of numbers, and those columns. The rest are groups.
    """
    at_study, at_target = table.index("study"), table.index("target")
    at_unit = table.columns.index("unit") if "unit" in table.columns else None
    taken = {*TEXTS, *numbers.values()}
    group_names = tuple(column for column in table.columns if column not in taken)
    at_groups = [table.columns.index(name) for name in group_names]
    columns = [(name, c, table.columns.index(c), array("d")) for name, c in numbers.items()]
    studies: dict[str, int] = {}
    targets: dict[str, int] = {}
    units: list[str] = []
    memberships: list[tuple[str, ...]] = []
    lines, rows, places = array("q"), array("q"), array("q")
    for line, row in table.rows:
        study, target = to_text(row[at_study]), to_text(row[at_target])
        if not study.strip() or not target.strip():
            empty = "study" if not study.strip() else "target"
            raise invalid(table.name, "is empty", line, empty)
        unit = "" if at_unit is None else to_text(row[at_unit])
        members = tuple([to_text(row[i]) for i in at_groups])
        if study not in studies:
            studies[study] = len(studies)
            memberships.append(members)
        elif memberships[studies[study]] != members:
            before = memberships[studies[study]]
            name = next(n for n, a, b in zip(group_names, before, members) if a != b)
            raise invalid(table.name, f"differs from other rows of '{study}'", line, name)
        if target not in targets:
            targets[target] = len(targets)
            units.append(unit)
        elif units[targets[target]] != unit:
            raise invalid(table.name, f"differs from other rows of '{target}'", line, "unit")
        lines.append(line)
        rows.append(studies[study])
        places.append(targets[target])
        for name, column, index, values in columns:
            values.append(table.number(row[index], line, column, is_sd=name == "sd"))
    stored = {name: values for name, _, _, values in columns}
    cells = Cells(
        table.name, studies, targets, units, group_names, memberships, lines, rows, places, stored
    )
    _check_layout(cells)
    return cells


def _check_layout(cells: Cells) -> None:
    """Every study and target at most once, and not so many that they fill the memory."""
    if not cells.studies:
        raise invalid(cells.table, "has no rows")
    if len(cells.studies) * len(cells.targets) > MOST_CELLS:
        raise invalid(
            cells.table,
            f"spans {len(cells.studies):,} studies × {len(cells.targets):,} targets,"
            f" more than {MOST_CELLS:,} values",
        )
    flat = np.asarray(cells.rows) * len(cells.targets) + np.asarray(cells.columns)
    first = np.zeros(len(flat), dtype=bool)
    first[np.unique(flat, return_index=True)[1]] = True
    if not first.all():
        line = cells.lines[int(np.argmin(first))]
        raise invalid(cells.table, "this study and target were there before", line)
    if "lower" in cells.numbers:
        crossed = np.asarray(cells.numbers["lower"]) > np.asarray(cells.numbers["upper"])
        if crossed.any():
            line = cells.lines[int(np.argmax(crossed))]
            raise invalid(cells.table, "the lower bound lies above the upper", line)
