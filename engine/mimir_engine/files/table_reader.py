"""Read and validate untrusted tables, CSV or Parquet, row by row."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import unescape_cell
from mimir_engine.files.optional_packages import require

#: Characters of a line. A row of the 71 published measurements takes some 6,000.
MAX_LINE = 1_000_000
#: Rows of a table: 100,000 studies of the published measurements are 7 million.
MAX_ROWS = 20_000_000
#: Studies × targets held in memory at once.
MAX_CELLS = 20_000_000
#: Larger numbers would overflow when squared; no measurement is that large.
MAX_NUMBER = 1e30
#: An error divided by a smaller SD would overflow, too.
MIN_SD = 1e-30
#: Spellings of a gap, in lower case.
GAPS = ("", "na", "nan", "null", "none")
#: Endings of Parquet files.
PARQUET = (".parquet", ".pq")


#: Line (or row) number and cells: text, or Parquet's values.
Row = tuple[int, Sequence[Any]]
#: Makes the error about a table: ``error(what, line, column)``; line and column may be left out.
TableError = Callable[..., MimirError]


class Table:
    """A table that is being read; valid while its file is open.

    Args:
        name: File name, for messages.
        rows: The rows; the first is the header.
        error: Makes errors about the table.

    Attributes:
        columns: Names of the columns, without repetition.
        rows: The rows after the header, each with as many cells as the header.
    """

    def __init__(self, name: str, rows: Iterator[Row], error: TableError) -> None:
        self.name, self.error = name, error
        _, header = next(rows, (0, ()))
        self.columns = tuple(unescape_cell(column.strip()) for column in header)
        if not self.columns:
            raise error("is empty")
        repeated = next((c for i, c in enumerate(self.columns) if c in self.columns[:i]), None)
        if repeated is not None:
            raise error(f"has two columns '{repeated}'", 1)
        self.rows = self._checked(rows)

    def _checked(self, rows: Iterator[Row]) -> Iterator[Row]:
        width = len(self.columns)
        for count, (line, row) in enumerate(rows):
            if len(row) != width:
                raise self.error(f"has {len(row)} cells, but the header has {width}", line)
            if count == MAX_ROWS:
                raise self.error(f"there are more than {MAX_ROWS:,} rows", line)
            yield line, row

    def index(self, column: str) -> int:
        """Return the index of a required column."""
        if column not in self.columns:
            raise self.error(f"has no column '{column}'")
        return self.columns.index(column)

    def number(self, cell: Any, line: int, column: str, is_sd: bool = False) -> float:
        """Return a cell as a number, NaN for a gap."""
        try:
            value = to_number(cell)
        except ValueError as error:
            raise self.error(str(error), line, column) from None
        if is_sd and value < MIN_SD:
            raise self.error(f"the SD '{cell}' must be above 0", line, column)
        return value


@contextmanager
def open_table(
    path: Path, code: str = "PREDICTIONS_INVALID", described_in: str = "docs/training.md"
) -> Iterator[Table]:
    """Open a table: Parquet by the file's ending, else CSV in UTF-8 with commas.

    Args:
        path: File to read.
        code: Error code for everything that is wrong with the table.
        described_in: Page that describes such tables, for messages.

    Raises:
        MimirError: With ``code``; ``EXTRA_MISSING`` for Parquet without pyarrow.
    """
    error = partial(_table_error, path.name, code, described_in)
    try:
        if path.suffix.lower() in PARQUET:
            yield Table(path.name, _parquet_rows(path, error), error)
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield Table(path.name, _csv_rows(file, error), error)
    except OSError as cause:
        raise error(f"cannot be read ({cause.strerror or type(cause).__name__})") from cause
    except UnicodeDecodeError as cause:
        raise error("is not UTF-8 text") from cause


def _table_error(
    name: str, code: str, page: str, what: str, line: int = 0, column: str = ""
) -> MimirError:
    place = f", line {line}" if line else ""
    place += f", column '{column}'" if column else ""
    what = f"'{name}'{place}: {what}" if place else f"'{name}' {what}"
    return MimirError(code, what, f"Correct the table; {page} describes it.")


def _csv_rows(file: TextIO, error: TableError) -> Iterator[Row]:
    reader = csv.reader(_lines(file, error), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as cause:
        raise error(f"is not valid CSV ({cause})", reader.line_num) from cause


def _lines(file: TextIO, error: TableError) -> Iterator[str]:
    """Yield lines of limited length: a file without line ends must not fill the memory."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise error(f"is longer than {MAX_LINE:,} characters", number)
        yield line


def _parquet_rows(path: Path, error: TableError) -> Iterator[Row]:
    require("parquet")
    from pyarrow import ArrowException, parquet

    number = 0
    try:
        file = parquet.ParquetFile(path)
        yield number, file.schema_arrow.names
        for batch in file.iter_batches():
            for row in zip(*(column.to_pylist() for column in batch.columns)):
                number += 1
                yield number, row
    except ArrowException as cause:
        raise error("is not a readable Parquet file", number) from cause


def to_number(cell: Any) -> float:
    """Return a cell as a number, NaN for a gap.

    Raises:
        ValueError: It is neither a number nor a gap, or is out of range.
    """
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in GAPS):
        return math.nan
    try:
        if isinstance(cell, str) and "_" in cell:  # Python reads 1_000 as a number
            raise ValueError
        value = float(cell)
    except (ValueError, TypeError):
        raise ValueError(f"'{cell}' is not a number") from None
    if abs(value) > MAX_NUMBER:
        raise ValueError(f"'{cell}' is out of range")
    return value


def to_text(cell: Any) -> str:
    """Return a cell as text, without the quote that protects it from spreadsheets."""
    return "" if cell is None else unescape_cell(str(cell))


#: The columns of a tidy table that are text and not groups.
TEXTS = ("study", "target", "unit")


@dataclass(frozen=True, eq=False)
class TidyTable:
    """A table with one row per study and target, arranged by both.

    Attributes:
        name: File name, for messages.
        studies: Names of the studies, and their rows in the arrays.
        targets: Names of the targets, and their columns in the arrays.
        units: Units of the targets.
        groups: All other columns: each study's entry.
        numbers: float64 (studies, targets), NaN for missing rows.
    """

    name: str
    studies: Mapping[str, int]
    targets: Mapping[str, int]
    units: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, np.ndarray]


def read_tidy(table: Table, numbers: Mapping[str, str]) -> TidyTable:
    """Read all rows of a tidy table.

    Args:
        table: With columns ``study`` and ``target``; ``unit`` if known.
        numbers: Names for the columns of numbers, and those columns. The others are groups.
    """
    at = {column: index for index, column in enumerate(table.columns)}
    at_study, at_target = table.index("study"), table.index("target")
    group_names = [column for column in at if column not in {*TEXTS, *numbers.values()}]
    studies: dict[str, int] = {}
    targets: dict[str, int] = {}
    entries: dict[str, tuple[str, ...]] = {}
    units: dict[str, str] = {}
    lines, rows, columns = array("q"), array("q"), array("q")
    values = {name: array("d") for name in numbers}
    for line, row in table.rows:
        study, target = to_text(row[at_study]), to_text(row[at_target])
        for name, text in (("study", study), ("target", target)):
            if not text.strip():
                raise table.error("is empty", line, name)
        own = tuple([to_text(row[at[name]]) for name in group_names])
        for name, before, now in zip(group_names, entries.setdefault(study, own), own):
            if before != now:
                raise table.error(f"differs from other rows of '{study}'", line, name)
        unit = to_text(row[at["unit"]]) if "unit" in at else ""
        if units.setdefault(target, unit) != unit:
            raise table.error(f"differs from other rows of '{target}'", line, "unit")
        if len(lines) == MAX_CELLS:
            raise table.error(f"there are more than {MAX_CELLS:,} values", line)
        lines.append(line)
        rows.append(studies.setdefault(study, len(studies)))
        columns.append(targets.setdefault(target, len(targets)))
        for name, column in numbers.items():
            values[name].append(table.number(row[at[column]], line, column, name == "sd"))
    shape = len(studies), len(targets)
    places = _places(table, shape, lines, (rows, columns))
    if "lower" in values:
        crossed = np.asarray(values["lower"]) > np.asarray(values["upper"])
        if crossed.any():
            line = lines[int(np.argmax(crossed))]
            raise table.error("the lower bound is above the upper bound", line)
    arrays = {name: np.full(shape, np.nan) for name in numbers}
    for name, numbers_ in arrays.items():
        numbers_.flat[places] = values[name]
    by_group = zip(group_names, zip(*entries.values()))
    return TidyTable(table.name, studies, targets, tuple(units.values()), dict(by_group), arrays)


def _places(
    table: Table, shape: tuple[int, int], lines: array[int], index: tuple[array[int], array[int]]
) -> np.ndarray:
    """Return the place of each line in a flat array; refuse two lines with the same place."""
    if not lines:
        raise table.error("has no rows")
    if shape[0] * shape[1] > MAX_CELLS:
        raise table.error(
            f"has {shape[0]:,} studies × {shape[1]:,} targets, more than {MAX_CELLS:,} values"
        )
    places = np.ravel_multi_index(index, shape)
    firsts = np.unique(places, return_index=True)[1]
    if len(firsts) < len(lines):
        again = np.delete(np.arange(len(lines)), firsts)[0]
        raise table.error("this study and target occur more than once", lines[again])
    return places
