"""Show texts in labels that never make the panel wider."""

from __future__ import annotations

from typing import Any

import qt

from MIMIRLib.plain_text import plain, plain_tooltip, short


def prepare_labels(panel: Any) -> None:
    """Let all labels of a panel wrap plain text, and take the width that there is."""
    for label in panel.findChildren(qt.QLabel):
        label.setTextFormat(qt.Qt.PlainText)
        if label.buddy() is None:
            label.wordWrap = True
            label.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
            label.setSizePolicy(qt.QSizePolicy.Ignored, label.sizePolicy.verticalPolicy())


def show_text(widget: Any, text: str) -> None:
    """Show the text of a label or button; hide one without text.

    Long words are cut; a label's tooltip then has the whole text.
    """
    shown = short(plain(text))
    widget.text = shown
    if widget.inherits("QLabel"):
        widget.toolTip = plain_tooltip(text) if shown != plain(text) else ""
    widget.visible = bool(text)
