"""Rows of the panel's tables: what a cell shows, what it is sorted by, what its tooltip says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional, Union


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: As shown.
        order: What the column is sorted by; the text where it is None.
        tooltip: More, in a sentence.
    """

    text: str
    order: Optional[Union[str, float]] = None
    tooltip: str = ""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        key: What it stands for, e.g. a study's UID.
        cells: One a column.
        ticked: Whether its box is ticked; None where it has no box.
    """

    key: str
    cells: tuple[Cell, ...]
    ticked: Optional[bool] = None

    @property
    def searched(self) -> str:
        """What a filter looks at: all of its texts and tooltips, in lower case."""
        return " ".join(f"{cell.text} {cell.tooltip}" for cell in self.cells).lower()


def filter_pattern(text: str) -> str:
    """A regular expression that finds the rows which hold all words of a filter, in any order.

    It means the same to Python and to Qt.
    """
    return "".join(f"(?=.*{re.escape(word)})" for word in text.lower().split())


def fitting(rows: Sequence[Row], pattern: str) -> list[Row]:
    """The rows that a filter's pattern leaves."""
    expression = re.compile(pattern)
    return [row for row in rows if expression.match(row.searched)]
