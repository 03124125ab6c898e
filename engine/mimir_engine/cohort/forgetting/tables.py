"""Write tables of an output folder again without the rows of some studies."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from mimir_engine.cohort.excluded_table import INVALID
from mimir_engine.cohort.output_files import LABELS_FILE, VOLUMES_FILE
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import unescape_cell
from mimir_engine.files.optional_packages import require
from mimir_engine.files.regular_file import open_regular
from mimir_engine.files.table_reader import MAX_LINE

#: Tables with one or more rows per study, of all commands that have a ledger.
TABLES = (
    *("predictions.csv", "measurements.csv", "failures.csv", "scan_numbers.csv"),
    *("scan_profiles.csv", "checks.csv", "findings.csv", "studies.csv", LABELS_FILE, VOLUMES_FILE),
)
#: Columns that name a study; the first that a table has.
_NAMES = ("name", "study")
#: A row as it stands in the file, with its line end, and the name of its study.
_Row = tuple[str, str]


def names_in_table(path: Path) -> Iterator[str]:
    """Yield the name of the study of each row; none if there is no such table.

    Raises:
        MimirError: `INVALID`.
    """
    if path.exists():
        with _opened(path) as file:
            _, rows = _header_and_rows(file, path)
            yield from (name for _, name in rows)


def remove_rows(path: Path, names: Collection[str]) -> int:
    """Write a table again without the rows of some studies; the others keep every byte.

    Returns:
        Number of rows that stay, without the header.

    Raises:
        MimirError: `INVALID`, ``OUTPUT_UNWRITABLE``.
    """
    left = 0
    with atomic_file(path) as new, _opened(path) as file:
        header, rows = _header_and_rows(file, path)
        new.write(header.encode("utf-8"))
        for text, name in rows:
            if name not in names:
                new.write(text.encode("utf-8"))
                left += 1
    return left


def remove_from_parquet(path: Path, names: Collection[str]) -> None:
    """Write ``predictions.parquet`` again without the rows of some studies.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pyarrow, `INVALID`, ``OUTPUT_UNWRITABLE``.
    """
    require("parquet")
    from pyarrow import ArrowException, array, parquet

    try:
        with (
            atomic_file(path) as new,
            parquet.ParquetFile(path) as table,
            parquet.ParquetWriter(new, table.schema_arrow) as writer,
        ):
            for group in range(table.num_row_groups):
                rows = table.read_row_group(group)
                stays = [name not in names for name in rows["study"].to_pylist()]
                writer.write_table(rows.filter(array(stays)))
    except (ArrowException, LookupError) as error:
        raise _invalid(path, "is not a readable Parquet file") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise _invalid(path, "is not UTF-8 text") from error


def _header_and_rows(file: TextIO, path: Path) -> tuple[str, Iterator[_Row]]:
    records = _records(file, path)
    text, header = next(records, ("", []))
    columns = [unescape_cell(cell.lstrip("\ufeff")) for cell in header]
    column = next((name for name in _NAMES if name in columns), None)
    if column is None:
        raise _invalid(path, "has no column of names")
    return text, _rows(records, columns.index(column), len(columns), path)


def _rows(
    records: Iterator[tuple[str, list[str]]], at_name: int, width: int, path: Path
) -> Iterator[_Row]:
    for text, cells in records:
        if len(cells) != width:
            raise _invalid(path, "has a row that does not fit its header")
        yield text, unescape_cell(cells[at_name])


def _records(file: TextIO, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each record of a CSV file: its text and its cells."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        while line := file.readline(MAX_LINE):
            if len(line) == MAX_LINE:
                raise _invalid(path, "has a line that is too long")
            taken.append(line)
            yield line

    try:
        for cells in csv.reader(lines(), strict=True):
            yield "".join(taken), cells
            taken.clear()
    except csv.Error as error:
        raise _invalid(path, f"is not valid CSV ({error})") from error


def _invalid(path: Path, what: str) -> MimirError:
    return MimirError(
        INVALID,
        f"'{path.name}' {what}",
        "Remove it, then run the command that wrote it again.",
    )
