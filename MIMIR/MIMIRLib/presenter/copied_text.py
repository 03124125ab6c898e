"""Write cells as text that spreadsheets paste into cells."""

from __future__ import annotations

from collections.abc import Sequence


def copied_text(rows: Sequence[Sequence[object]]) -> str:
    """Return rows as lines of cells separated by tabs.

    A text from a file that a spreadsheet would take for a formula gets a quote; a number does not.
    """
    return "\n".join("\t".join(_cell(cell) for cell in row) for row in rows)


def _cell(value: object) -> str:
    from mimir_engine.files.csv_writer import escape_cell

    text = " ".join(("" if value is None else str(value)).split())
    return text if _is_number(text) else escape_cell(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
