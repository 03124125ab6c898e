"""Show rows in a table that can be sorted, filtered, ticked and copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Union

import qt

from MIMIRLib.notifier import Notifier
from MIMIRLib.panel.column_chooser import ColumnChooser
from MIMIRLib.panel.selected_rows import SelectedRows
from MIMIRLib.plain_text import plain, plain_tooltip
from MIMIRLib.presenter.table_row import Cell, Row, TableColumn

#: Roles of an item's further data: its row's key, its sort key, the text that a filter searches.
KEY, ORDER, SEARCHED = (int(qt.Qt.UserRole) + number for number in (1, 2, 3))
#: Smallest and largest height of a table (rows), so that the widgets below stay visible.
MIN_ROWS, MAX_ROWS = 2, 12
#: Height difference of header and row (pixels), used while a table has no rows to measure.
ROW_MARGIN = 4
#: Width up to which a column grows with its texts (pixels); users can make it wider.
MAX_GROWN_WIDTH = 220
#: Cells filled in at once: this takes some milliseconds, so that Slicer stays responsive.
CELLS_AT_ONCE = 300
#: Properties of all tables.
VIEW_PROPERTIES = {
    "alternatingRowColors": True,
    "allColumnsShowFocus": True,
    "rootIsDecorated": False,
    "sortingEnabled": True,
    "uniformRowHeights": True,
}


class RowTable:
    """Fills a tree view with rows.

    Long lists are filled in small parts, hidden, and then shown at once.

    Several rows can be selected, copied, and ticked together: a click on the box of a selected row,
    or the space bar, ticks all of them.

    Args:
        view: A ``QTreeView``.
        columns: The columns, or their headers.
        name: Name of the table in the settings; with it, the user can choose the columns.

    Attributes:
        ticked: Emits the keys of rows, and whether they are ticked now.
        selected: Emits the key of the selected row.
    """

    def __init__(
        self, view: Any, columns: Sequence[Union[str, TableColumn]], name: str = ""
    ) -> None:
        self.ticked, self.selected = Notifier(), Notifier()
        self._view = view
        self._columns = [TableColumn(c, c) if isinstance(c, str) else c for c in columns]
        self._are_columns_new = True
        self._chooser = ColumnChooser(view, name)
        self._selection = SelectedRows(view, self._tick)
        self._waiting: list[Row] = []
        self._places: dict[str, int] = {}
        self._is_updating = False
        self._model = self._making = self._new_model()
        self._proxy = qt.QSortFilterProxyModel()
        self._proxy.sortRole = ORDER
        self._proxy.filterRole = SEARCHED
        self._proxy.filterKeyColumn = 0
        self._proxy.setSourceModel(self._model)
        self._timer = qt.QTimer(view)  # so that it ends with the view
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._fill)
        for name, value in VIEW_PROPERTIES.items():
            view.setProperty(name, value)
        view.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        view.setModel(self._proxy)
        view.sortByColumn(-1, qt.Qt.AscendingOrder)  # unsorted until a header is clicked
        view.connect("clicked(QModelIndex)", self._select)
        self._rows = view.selectionModel()  # kept: otherwise Python forgets the connection
        self._rows.connect("currentRowChanged(QModelIndex,QModelIndex)", self._note_current)

    def show(self, rows: Sequence[Row], columns: Optional[Sequence[TableColumn]] = None) -> None:
        """Replace all rows by these.

        Args:
            rows: The rows.
            columns: Columns to replace the present ones by; None if they are the same.
        """
        if columns is not None and list(columns) != self._columns:
            self._are_columns_new = [c.key for c in columns] != [c.key for c in self._columns]
            self._columns = list(columns)
        self._waiting = list(rows)
        self._places = {row.key: place for place, row in enumerate(rows)}
        self._making = self._new_model()
        self._fill()

    def update(self, row: Row) -> None:
        """Replace the row with the same key; its tick stays."""
        place = self._places[row.key]
        filled = self._making.rowCount()
        if place >= filled:
            self._waiting[place - filled] = row
            return
        self._is_updating = True
        for column in range(len(self._columns)):
            self._fill_item(self._making.item(place, column), row, column)
        self._is_updating = False
        if self._making is self._model:
            for column in range(1, len(self._columns)):
                self._widen(column)

    def filter(self, pattern: str) -> None:
        """Show only rows that match a regular expression."""
        self._proxy.setFilterRegularExpression(pattern)

    def _fill(self) -> None:
        count = max(1, CELLS_AT_ONCE // max(1, len(self._columns)))
        for row in self._waiting[:count]:
            self._making.appendRow([self._item(row, n) for n in range(len(self._columns))])
        del self._waiting[:count]
        if self._waiting:
            self._timer.start()
        else:
            self._timer.stop()
            self._finish()

    def _finish(self) -> None:
        """Show the rows that were filled in."""
        is_first = self._model.rowCount() == 0 or self._are_columns_new
        self._proxy.setSourceModel(self._making)
        self._model = self._making
        self._model.connect("itemChanged(QStandardItem*)", self._note_change)
        self._chooser.use(self._columns)
        if self._are_columns_new:
            self._view.sortByColumn(-1, qt.Qt.AscendingOrder)
        if is_first:
            for column in range(len(self._columns)):
                self._view.resizeColumnToContents(column)
                width = self._view.columnWidth(column)
                self._view.setColumnWidth(column, min(width, MAX_GROWN_WIDTH))
        self._are_columns_new = False
        self._fit_height()

    def _widen(self, column: int) -> None:
        """Make a column wide enough for its texts, but not too wide."""
        before = self._view.columnWidth(column)
        self._view.resizeColumnToContents(column)
        needed = self._view.columnWidth(column)
        self._view.setColumnWidth(column, max(before, min(needed, MAX_GROWN_WIDTH)))

    def _fit_height(self) -> None:
        """Make the view as high as its rows, within limits, with header and scroll bar."""
        head = self._view.header().sizeHint.height()
        rows = min(max(self._model.rowCount(), MIN_ROWS), MAX_ROWS)
        height = head + rows * max(self._view.sizeHintForRow(0), head - ROW_MARGIN)
        height += self._view.horizontalScrollBar().sizeHint.height() + 2 * self._view.frameWidth
        self._view.minimumHeight = self._view.maximumHeight = height

    def _new_model(self) -> Any:
        model = qt.QStandardItemModel()
        model.setHorizontalHeaderLabels([plain(column.title) for column in self._columns])
        for number, column in enumerate(self._columns):
            model.horizontalHeaderItem(number).setToolTip(plain_tooltip(column.tooltip))
        return model

    def _item(self, row: Row, column: int) -> Any:
        item = qt.QStandardItem()
        self._fill_item(item, row, column)
        if column == 0 and row.ticked is not None:
            item.setCheckable(True)
            item.setCheckState(qt.Qt.Checked if row.ticked else qt.Qt.Unchecked)
        return item

    def _fill_item(self, item: Any, row: Row, column: int) -> None:
        cell = row.cells[column] if column < len(row.cells) else Cell("")
        item.setText(plain(cell.text))
        item.setData(cell.text if cell.order is None else cell.order, ORDER)
        item.setToolTip(plain_tooltip(cell.tooltip))
        if column == 0:
            item.setData(row.key, KEY)
            item.setData(row.searched, SEARCHED)

    def _note_change(self, item: Any) -> None:
        """Tick the other selected rows likewise if a selected row was ticked."""
        if not item.isCheckable() or self._is_updating:
            return
        row = self._proxy.mapFromSource(self._model.indexFromItem(item)).row()
        selected = self._selection.numbers
        ticked = item.checkState() == qt.Qt.Checked
        if row in selected:
            self._tick(selected, ticked)
        else:
            self.ticked.emit((item.data(KEY),), ticked)

    def _tick(self, numbers: Sequence[int], ticked: bool) -> None:
        """Tick rows of the view, or clear their ticks."""
        items = [self._model.itemFromIndex(self._source(self._proxy.index(n, 0))) for n in numbers]
        boxes = [item for item in items if item.isCheckable()]
        self._is_updating = True
        for item in boxes:
            item.setCheckState(qt.Qt.Checked if ticked else qt.Qt.Unchecked)
        self._is_updating = False
        self.ticked.emit(tuple(item.data(KEY) for item in boxes), ticked)

    def _source(self, index: Any) -> Any:
        return self._proxy.mapToSource(index).siblingAtColumn(0)

    def select(self, key: str) -> None:
        """Make the row with that key the current one, if the list shows it."""
        place = self._places.get(key, self._model.rowCount())
        if place < self._model.rowCount():
            self._view.setCurrentIndex(self._proxy.mapFromSource(self._model.index(place, 0)))

    def _note_current(self, current: Any, previous: Any) -> None:
        """Note that the keyboard or the mouse has gone to another row."""
        if current.isValid():
            self._select(current)

    def _select(self, index: Any) -> None:
        self.selected.emit(self._model.itemFromIndex(self._source(index)).data(KEY))
