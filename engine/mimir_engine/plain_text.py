"""Text from outside, made fit for one line of a terminal, a table or a log."""

from __future__ import annotations


def printable(text: str, instead: str = " ") -> str:
    """The text with ``instead`` for all that breaks lines, steers terminals or can't be encoded.

    That is control and format characters (also those that reverse the direction of writing), line
    and paragraph separators, and the halves of characters that stand for undecodable file names.
    """
    return "".join(c if c.isprintable() else instead for c in text)
