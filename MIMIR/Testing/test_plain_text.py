from __future__ import annotations

import pytest

from MIMIRLib.plain_text import plain, plain_tooltip


def test_html_in_a_tooltip_is_shown_letter_by_letter() -> None:
    text = '<img src="file:///etc/hostname"> & <a href="http://example.org">fat</a>\nline'
    shown = plain_tooltip(text)
    assert shown.startswith("<qt>&lt;img src=")
    assert "&amp; &lt;a href=" in shown
    assert shown.endswith("&lt;/a&gt;<br>line</qt>")


def test_no_tooltip_stays_none() -> None:
    assert plain_tooltip("") == ""


@pytest.mark.parametrize(
    "control", ["\x1b[31m", "\u202e", "\u2066", "\u200f", "\r", "\udc80", "\0"]
)
def test_characters_that_control_the_display_become_blanks(control: str) -> None:
    assert plain(f"a{control}b\nc") == f"a {control[1:]}b\nc"
    assert control[0] not in plain_tooltip(f"a{control}b")
