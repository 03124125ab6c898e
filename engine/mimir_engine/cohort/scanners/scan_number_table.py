"""The table ``scan_numbers.csv``: what each scan of a folder is like.

A row has a study's name, the codes of its findings, its scanner and month, and its `SCAN_NUMBERS`;
a cell is empty if the scan does not show the number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.table_reader import open_table, to_text

INVALID = "SCAN_NUMBERS_INVALID"
SCAN_NUMBERS_FILE = "scan_numbers.csv"
COLUMNS = ("name", "findings", "scanner", "month", *SCAN_NUMBERS)


@dataclass(frozen=True, eq=False)
class ScanNumberTable:
    """What some scans are like.

    Attributes:
        studies: Names of the studies.
        findings: Codes of the findings of each.
        names: The numbers, of `SCAN_NUMBERS`.
        values: float64 ``(studies, numbers)``; NaN if a scan does not show a number.
        scanners: Scanner of each study; empty if unknown.
        months: Month of each, as ``2024-03``; empty if unknown.
    """

    studies: tuple[str, ...]
    findings: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    values: np.ndarray
    scanners: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScanRow:
    """One scan: name of its study, codes of its findings, its numbers by name, where and when."""

    study: str
    findings: Sequence[str]
    numbers: Mapping[str, float]
    scanner: str = ""
    month: str = ""

    def cells(self) -> list[object]:
        """Return the cells of its row."""
        numbers = (self.numbers.get(name) for name in SCAN_NUMBERS)
        findings = ";".join(dict.fromkeys(self.findings))
        return [self.study, findings, self.scanner, self.month, *numbers]


def write_scan_numbers(path: Path, rows: Iterable[ScanRow]) -> None:
    """Write the table.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_csv(path, COLUMNS, (row.cells() for row in rows))


def append_scan_numbers(path: Path, rows: Iterable[ScanRow]) -> None:
    """Add rows to a table, or begin one.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not path.exists():
        writer.writerow(COLUMNS)
    writer.writerows(row.cells() for row in rows)
    with output_errors(path), path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())


def keep_rows(path: Path, count: int) -> int:
    """Cut a table off after some rows, where a killed run may have stopped; return those left."""
    if not path.exists():
        return 0
    with output_errors(path):
        lines = path.read_bytes().decode().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")][: count + 1]
        path.write_bytes("".join(whole).encode())
    return max(len(whole) - 1, 0)


def read_scan_numbers(path: Path) -> ScanNumberTable:
    """Read the table; columns of other versions are left out.

    Raises:
        MimirError: ``SCAN_NUMBERS_INVALID``.
    """
    studies, findings, values = [], [], []
    origins: dict[str, list[str]] = {"scanner": [], "month": []}
    with open_table(path, INVALID) as table:
        at_name, at_findings = table.index("name"), table.index("findings")
        places = [(name, table.index(name)) for name in SCAN_NUMBERS if name in table.columns]
        for line, row in table.rows:
            studies.append(to_text(row[at_name]))
            findings.append(tuple(filter(None, to_text(row[at_findings]).split(";"))))
            values.append([table.number(row[at], line, name) for name, at in places])
            for column, texts in origins.items():
                known = column in table.columns
                texts.append(to_text(row[table.index(column)]) if known else "")
    names = tuple(name for name, _ in places)
    array = np.array(values, np.float64).reshape(len(studies), len(names))
    where = (tuple(texts) for texts in origins.values())
    return ScanNumberTable(tuple(studies), tuple(findings), names, array, *where)


def read_numbers_of(folder: Path) -> ScanNumberTable:
    """Read the table of a folder of results or images.

    Raises:
        MimirError: ``SCAN_NUMBERS_MISSING``, ``SCAN_NUMBERS_INVALID``.
    """
    if not (folder / SCAN_NUMBERS_FILE).is_file():
        raise MimirError(
            "SCAN_NUMBERS_MISSING",
            f"the folder '{folder.name}' contains no {SCAN_NUMBERS_FILE}",
            "Give an output folder of `mimir infer`, `measure` or `project --dataset` of this"
            " version.",
        )
    return read_scan_numbers(folder / SCAN_NUMBERS_FILE)
