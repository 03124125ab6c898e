"""Let the keyboard do what the mouse does."""

from __future__ import annotations

from typing import Any

import qt

#: The Enter keys of the keyboard and of its number block.
_ENTER = (int(qt.Qt.Key_Return), int(qt.Qt.Key_Enter))


class EnterTicks(qt.QObject):
    """Lets Enter tick and untick the current row of a list, whatever its column.

    Args:
        view: A ``QTreeView``.
    """

    def __init__(self, view: Any) -> None:
        qt.QObject.__init__(self)
        self._view = view
        view.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Take Enter; leave all other events to the list."""
        if event.type() != qt.QEvent.KeyPress or int(event.key()) not in _ENTER:
            return False
        if event.modifiers() & qt.Qt.ControlModifier:
            return False
        first = self._view.currentIndex().siblingAtColumn(0)
        state = first.data(qt.Qt.CheckStateRole) if first.isValid() else None
        if state is not None:
            is_ticked = int(state) == int(qt.Qt.Checked)
            new = qt.Qt.Unchecked if is_ticked else qt.Qt.Checked
            self._view.model().setData(first, new, qt.Qt.CheckStateRole)
        return True


def apply_by_control_enter(panel: Any, button: Any) -> None:
    """Let Ctrl+Enter press a button from anywhere in the panel."""
    for key in ("Ctrl+Return", "Ctrl+Enter"):
        shortcut = qt.QShortcut(qt.QKeySequence(key), panel)
        shortcut.setContext(qt.Qt.WidgetWithChildrenShortcut)
        shortcut.connect("activated()", button.click)


def press_by_enter(panel: Any) -> None:
    """Let Enter press the button that has the focus, as Space does."""
    for button in panel.findChildren(qt.QPushButton):
        button.autoDefault = True
