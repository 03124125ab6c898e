"""Choose a table's columns by a right click on its header; the settings remember the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt

from MIMIRLib.plain_text import plain
from MIMIRLib.presenter.table_row import TableColumn
from MIMIRLib.translate import tr as _


class ColumnChooser:
    """Hides and shows the columns of a tree view; the first one always stays.

    Args:
        view: A ``QTreeView``.
        name: Name of the table in the settings; without one the columns cannot be chosen.
    """

    def __init__(self, view: Any, name: str) -> None:
        self._view, self._name = view, name
        self._columns: Sequence[TableColumn] = ()
        self._header = header = view.header()
        if name:
            header.setContextMenuPolicy(qt.Qt.CustomContextMenu)
            header.setToolTip(_("Click to sort. Right-click to choose the columns."))
            header.connect("customContextMenuRequested(QPoint)", self._ask)

    def use(self, columns: Sequence[TableColumn]) -> None:
        """Hide and show columns as the user chose before."""
        self._columns = columns
        for number, column in enumerate(columns):
            self._view.setColumnHidden(number, number > 0 and not self._is_shown(column))

    def show_column(self, key: str, shown: bool) -> None:
        """Show or hide a column, and remember this."""
        numbers = [n for n, column in enumerate(self._columns) if column.key == key]
        for number in numbers:
            qt.QSettings().setValue(self._setting(key), "shown" if shown else "hidden")
            self._view.setColumnHidden(number, not shown)
            if shown and self._view.columnWidth(number) == 0:
                self._view.resizeColumnToContents(number)

    def menu(self) -> Any:
        """Return the menu: a submenu per group of columns."""
        menu = qt.QMenu(self._view)
        submenus: dict[str, Any] = {}
        for column in self._columns[1:]:
            group = column.group
            if group and group not in submenus:
                submenus[group] = menu.addMenu(plain(group).replace("&", "&&"))
                self._add_all(submenus[group], group)
            self._add(submenus.get(group, menu), column)
        return menu

    def _add(self, menu: Any, column: TableColumn) -> None:
        action = menu.addAction(plain(column.title).replace("&", "&&"))
        action.checkable = True
        action.checked = self._is_shown(column)
        key = column.key
        action.connect("toggled(bool)", lambda shown: self.show_column(key, shown))

    def _add_all(self, menu: Any, group: str) -> None:
        for text, shown in ((_("Show all"), True), (_("Hide all"), False)):
            action = menu.addAction(text)
            action.connect("triggered()", lambda shown=shown: self._show_group(group, shown))
        menu.addSeparator()

    def _show_group(self, group: str, shown: bool) -> None:
        for column in self._columns[1:]:
            if column.group == group:
                self.show_column(column.key, shown)

    def _is_shown(self, column: TableColumn) -> bool:
        known = qt.QSettings().value(self._setting(column.key), "") if self._name else ""
        return known == "shown" if known else column.is_shown

    def _setting(self, key: str) -> str:
        return f"MIMIR/{self._name}/{key}"

    def _ask(self, point: Any) -> None:
        menu = self.menu()
        menu.exec_(self._header.mapToGlobal(point))
        menu.deleteLater()
