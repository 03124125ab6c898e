"""Show text from DICOM files and inference modules as plain text, whatever it holds.

Qt takes a text that looks like HTML for HTML, and follows characters that reverse the direction of
writing.
"""

from __future__ import annotations

import html
import re

#: Characters of a long word, such as a UID or a path, that are shown at its beginning and end.
KEPT = 14
_LONG_WORD = re.compile(r"\S{36,}")


def plain(text: str) -> str:
    """Return a text without characters that control how it is shown; line ends stay.

    Examples:
        >>> plain("a\\u202eb")
        'a b'
    """
    return "\n".join(
        "".join(c if c.isprintable() else " " for c in line) for line in text.split("\n")
    )


def plain_tooltip(text: str) -> str:
    """Return a text as HTML that shows it literally: tooltips cannot be set to plain text.

    Examples:
        >>> plain_tooltip("<b>fat</b>")
        '<qt>&lt;b&gt;fat&lt;/b&gt;</qt>'
    """
    escaped = html.escape(plain(text)).replace("\n", "<br>")
    return f"<qt>{escaped}</qt>" if escaped else ""


def short(text: str) -> str:
    """Return a text whose long words are cut in their middle: a label cannot break a word.

    Examples:
        >>> short("Study 1.2.826.0.1.3680043.8.498.12345678901234567890123456789 was read.")
        'Study 1.2.826.0.1.36…67890123456789 was read.'
    """
    return _LONG_WORD.sub(lambda word: f"{word[0][:KEPT]}…{word[0][-KEPT:]}", text)
