"""Let the keyboard do what the mouse does."""

from __future__ import annotations

from typing import Any, Callable

import qt


def tick_by_enter(view: Any) -> None:
    """Let Enter tick and untick the current row of a list, whatever its column."""

    def tick() -> None:
        first = view.currentIndex().siblingAtColumn(0)
        state = first.data(qt.Qt.CheckStateRole) if first.isValid() else None
        if state is not None:
            is_ticked = int(state) == int(qt.Qt.Checked)
            new = qt.Qt.Unchecked if is_ticked else qt.Qt.Checked
            view.model().setData(first, new, qt.Qt.CheckStateRole)

    for key in ("Return", "Enter"):
        _shortcut(view, key, tick, qt.Qt.WidgetShortcut)


def apply_by_control_enter(panel: Any, button: Any) -> None:
    """Let Ctrl+Enter press a button from anywhere in the panel."""
    for key in ("Ctrl+Return", "Ctrl+Enter"):
        _shortcut(panel, key, lambda: button.click(), qt.Qt.WidgetWithChildrenShortcut)


def press_by_enter(panel: Any) -> None:
    """Let Enter press the button that has the focus, as Space does."""
    for button in panel.findChildren(qt.QPushButton):
        button.autoDefault = True


def _shortcut(widget: Any, key: str, action: Callable[[], None], context: Any) -> None:
    shortcut = qt.QShortcut(qt.QKeySequence(key), widget)
    shortcut.setContext(context)
    shortcut.connect("activated()", action)
