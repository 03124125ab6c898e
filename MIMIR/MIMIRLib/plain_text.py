"""Show text from DICOM files and inference modules as plain text, whatever it holds.

Qt takes a text that looks like HTML for HTML, and follows characters that reverse the direction of
writing.
"""

from __future__ import annotations

import html


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
