"""Work on the selected rows of a table: copy them, and tick several at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import qt
import slicer

from MIMIRLib.presenter.copied_text import copied_text


class SelectedRows:
    """Lets the user select several rows of a tree view.

    Ctrl+C copies the selected rows, without hidden columns, as tab-separated text. The space bar
    ticks all of them, or clears all ticks if all are ticked.

    Args:
        view: A ``QTreeView``.
        tick: Called with rows of the view's model, and whether to tick them.
    """

    def __init__(self, view: Any, tick: Callable[[Sequence[int], bool], None]) -> None:
        self._view, self._tick = view, tick
        view.setSelectionMode(qt.QAbstractItemView.ExtendedSelection)
        view.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        self._shortcuts = [
            self._shortcut(qt.QKeySequence(qt.QKeySequence.Copy), self.copy),
            self._shortcut(qt.QKeySequence(qt.Qt.Key_Space), self.toggle),
        ]

    @property
    def numbers(self) -> list[int]:
        """The selected rows of the view's model, from top to bottom."""
        return sorted(index.row() for index in self._view.selectionModel().selectedRows())

    def copy(self) -> None:
        """Copy the selected rows with the headers of their columns."""
        model, view = self._view.model(), self._view
        order = map(view.header().logicalIndex, range(model.columnCount()))
        columns = [column for column in order if not view.isColumnHidden(column)]
        heads = [model.headerData(column, qt.Qt.Horizontal) for column in columns]
        rows = [
            [model.data(model.index(row, column)) for column in columns] for row in self.numbers
        ]
        if rows:
            slicer.app.clipboard().setText(copied_text([heads, *rows]))

    def toggle(self) -> None:
        """Tick the selected rows, or clear their ticks if all are ticked."""
        model = self._view.model()
        states = {
            row: model.data(model.index(row, 0), qt.Qt.CheckStateRole) for row in self.numbers
        }
        known = {row: state for row, state in states.items() if state is not None}
        ticked = any(int(state) != int(qt.Qt.Checked) for state in known.values())
        if known:
            self._tick(list(known), ticked)

    def _shortcut(self, keys: Any, action: Callable[[], None]) -> Any:
        shortcut = qt.QShortcut(keys, self._view)
        shortcut.setContext(qt.Qt.WidgetShortcut)
        shortcut.connect("activated()", action)
        return shortcut
