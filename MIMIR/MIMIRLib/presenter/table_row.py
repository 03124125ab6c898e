"""Rows of the panel's tables, and the filter that finds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Union


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: The text shown.
        order: Sort key of the column; None for the text itself.
        tooltip: More, in a sentence.
    """

    text: str
    order: Optional[Union[str, float]] = None
    tooltip: str = ""


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Attributes:
        key: Identifies its content, also in the settings.
        title: Its header.
        tooltip: More about it.
        group: Submenu of the column chooser; empty for none.
        is_shown: Whether it is shown until the user chooses.
    """

    key: str
    title: str
    tooltip: str = ""
    group: str = ""
    is_shown: bool = True


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        key: Identifies its content, e.g. a study's UID.
        cells: One per column.
        ticked: State of its box; None if it has no box.
    """

    key: str
    cells: tuple[Cell, ...]
    ticked: Optional[bool] = None

    @property
    def searched(self) -> str:
        """The text that a filter searches: all texts and tooltips, in lower case."""
        return " ".join(f"{cell.text} {cell.tooltip}" for cell in self.cells).lower()


def filter_pattern(text: str) -> str:
    """Return a regular expression for rows that contain all words of a text, in any order.

    Python and Qt read it alike.
    """
    return "".join(f"(?=.*{re.escape(word)})" for word in text.lower().split())
