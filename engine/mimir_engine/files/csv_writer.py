"""Small tables as CSV files that are whole or not there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from mimir_engine.files.atomic import whole_file


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows, in UTF-8; no text begins as a spreadsheet's formulas do.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(cell) for cell in row] for row in rows)
        text.flush()
        text.detach()


def _cell(value: object) -> object:
    """Texts made harmless; a number stays one, also where it begins with a minus."""
    return as_cell(value) if isinstance(value, str) else value


#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_cell(text: str) -> str:
    """A text for a CSV file that a spreadsheet takes as text; ``from_cell`` undoes it."""
    return f"'{text}" if text.startswith((*FORMULA_BEGINS, "'")) else text


def from_cell(text: str) -> str:
    """The text that ``as_cell`` was given."""
    return text[1:] if text[:1] == "'" and text[1:].startswith((*FORMULA_BEGINS, "'")) else text
