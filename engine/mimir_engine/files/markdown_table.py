"""Format tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Optional

from mimir_engine.errors import printable


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: Optional[int] = None
) -> str:
    """Return a Markdown table.

    Args:
        head: Headings.
        rows: Cells, as Markdown; see `markdown_text` for text from outside.
        text_columns: Number of columns from the left that hold text; those of numbers, to the
            right of them, are aligned right. By default all hold text.
    """
    texts = len(head) if text_columns is None else text_columns
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))


def markdown_text(text: str) -> str:
    """Return text from outside such that it stays text in Markdown, also within a table.

    Examples:
        >>> print(markdown_text("<b>![x](http://a.b/c.png)|`"))
        &lt;b>!\\[x](http://a.b/c.png)\\|\\`
    """
    text = " ".join(printable(text).split())
    return re.sub(r"([\\|`\[])", r"\\\1", text).replace("<", "&lt;")
