"""Text from outside, made fit for one line of a terminal, a table or a log."""

from __future__ import annotations

#: What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def printable(text: str, instead: str = " ") -> str:
    """The text with ``instead`` for all that breaks lines, steers terminals or can't be encoded.

    That is control and format characters (also those that reverse the direction of writing), line
    and paragraph separators, and the halves of characters that stand for undecodable file names.
    """
    return "".join(c if c.isprintable() else instead for c in text)


def as_cell(text: str) -> str:
    """A text for a CSV file that a spreadsheet takes as text; ``from_cell`` undoes it."""
    return f"'{text}" if text.startswith((*FORMULA_BEGINS, "'")) else text


def from_cell(text: str) -> str:
    """The text that ``as_cell`` was given."""
    return text[1:] if text[:1] == "'" and text[1:].startswith((*FORMULA_BEGINS, "'")) else text
