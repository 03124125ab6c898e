"""Use a table as people do: several rows at once, the keyboard, the header."""

from __future__ import annotations

import unittest
from typing import Any

import qt
import slicer

from MIMIRLib.panel.row_table import RowTable
from MIMIRLib.presenter.table_row import Cell, Row, TableColumn

#: Name of the table in the settings.
NAME = "SelfTest"
COLUMNS = (
    TableColumn("patient", "Patient"),
    TableColumn("date", "Date"),
    TableColumn("vat", "VAT (L)", group="Fat"),
    TableColumn("asat", "ASAT (L)", group="Fat", is_shown=False),
)


class TableTest(unittest.TestCase):
    """Each test starts with three rows, of which the second is ticked."""

    def setUp(self) -> None:
        """Fill a table."""
        self._forget()
        self.view = qt.QTreeView()
        self.table = RowTable(self.view, COLUMNS, NAME)
        self.heard: list[tuple[tuple[str, ...], bool]] = []
        self.table.ticked.connect(lambda keys, ticked: self.heard.append((keys, ticked)))
        self.table.show([row(letter, letter == "b") for letter in "abc"])
        self.view.show()
        slicer.app.processEvents()

    def tearDown(self) -> None:
        """Forget the table and its settings."""
        self.view.deleteLater()
        self._forget()

    def test_ctrl_c_copies_the_selected_rows_with_the_headers_of_what_is_shown(self) -> None:
        """Rows stand on lines, cells between tabs."""
        self.select(0, 2)
        self.press("Ctrl+C")
        assert slicer.app.clipboard().text() == "Patient\tDate\tVAT (L)\na\t\t1.5\nc\t\t1.5"

    def test_the_space_bar_ticks_all_selected_rows_and_then_none(self) -> None:
        """Those that were ticked stay so."""
        self.select(0, 1)
        self.press("Space")
        assert self.heard == [(("a", "b"), True)]
        assert self.ticks() == [True, True, False]
        self.press("Space")
        assert self.ticks() == [False, False, False]

    def test_a_tick_on_a_selected_row_ticks_all_selected_rows(self) -> None:
        """The presenter hears of them together."""
        self.select(0, 2)
        self.tick(2)
        assert self.heard == [(("a", "c"), True)]
        assert self.ticks() == [True, True, True]

    def test_a_tick_on_another_row_leaves_the_selected_ones(self) -> None:
        """Only this row is ticked."""
        self.select(0)
        self.tick(2)
        assert self.heard == [(("c",), True)]
        assert self.ticks() == [False, True, True]

    def test_only_rows_that_the_filter_shows_are_ticked(self) -> None:
        """Hidden rows are not selected."""
        self.view.selectAll()
        self.table.filter("(?=.*c)")
        self.view.selectAll()
        self.press("Space")
        assert self.heard == [(("c",), True)]

    def test_the_header_has_a_menu_of_columns_that_the_settings_remember(self) -> None:
        """Groups are submenus; the first column always stays."""
        self.assert_shown("patient", "date", "vat")
        date, fat = self.menu_actions()
        assert (date.text, fat.text) == ("Date", "Fat")
        date.trigger()
        everything, *_, asat = fat.menu().actions()
        assert (everything.text, asat.text, asat.checked) == ("Show all", "ASAT (L)", False)
        everything.trigger()
        self.assert_shown("patient", "vat", "asat")
        again = RowTable(qt.QTreeView(), COLUMNS, NAME)
        again.show([row("a", False)])
        assert again._view.isColumnHidden(1)
        assert not again._view.isColumnHidden(3)

    def test_a_right_click_on_the_header_opens_the_menu(self) -> None:
        """It closes without a change."""
        seen: list[str] = []
        timer = qt.QTimer()
        timer.setSingleShot(True)
        timer.connect("timeout()", lambda: seen.append(close_menu()))
        timer.start(100)
        self.view.header().customContextMenuRequested(qt.QPoint(5, 5))
        assert seen == ["QMenu"]
        self.assert_shown("patient", "date", "vat")

    def test_other_columns_take_the_place_of_the_present_ones(self) -> None:
        """As for the cohort."""
        self.table.show([Row("x", (Cell("1"), Cell("2")))], [TableColumn(k, k) for k in "xy"])
        model = self.view.model()
        heads = [model.headerData(n, qt.Qt.Horizontal) for n in range(model.columnCount())]
        assert heads == ["x", "y"]
        assert [model.data(model.index(0, n)) for n in range(2)] == ["1", "2"]

    def menu_actions(self) -> list[Any]:
        """Return the entries of the header's menu."""
        self.menu = self.table._chooser.menu()
        return list(self.menu.actions())

    def assert_shown(self, *keys: str) -> None:
        """Check which columns are shown."""
        shown = [c.key for n, c in enumerate(COLUMNS) if not self.view.isColumnHidden(n)]
        assert shown == list(keys), shown

    def select(self, *rows: int) -> None:
        """Select rows."""
        model, selection = self.view.model(), self.view.selectionModel()
        selection.clear()
        for number in rows:
            flags = qt.QItemSelectionModel.Select | qt.QItemSelectionModel.Rows
            selection.select(model.index(number, 0), flags)

    def tick(self, number: int) -> None:
        """Tick a row as a click on its box does."""
        model = self.view.model()
        model.setData(model.index(number, 0), qt.Qt.Checked, qt.Qt.CheckStateRole)

    def ticks(self) -> list[bool]:
        """Return which rows are ticked."""
        model = self.view.model()
        states = [model.data(model.index(n, 0), qt.Qt.CheckStateRole) for n in range(3)]
        return [int(state) == int(qt.Qt.Checked) for state in states]

    def press(self, keys: str) -> None:
        """Press keys as the view's shortcuts hear them."""
        wanted = qt.QKeySequence(keys).toString()
        (shortcut,) = [one for one in self.shortcuts() if one.key.toString() == wanted]
        shortcut.activated()

    def shortcuts(self) -> list[Any]:
        """Return the view's shortcuts."""
        return [one for one in self.view.children() if one.className() == "QShortcut"]

    def _forget(self) -> None:
        qt.QSettings().remove(f"MIMIR/{NAME}")


def row(letter: str, ticked: bool) -> Row:
    """Return a row with these cells: a letter, no date, two volumes."""
    return Row(letter, (Cell(letter), Cell(""), Cell("1.5"), Cell("2.5")), ticked)


def close_menu() -> str:
    """Close the menu that is open, and return its class."""
    menu = slicer.app.activePopupWidget()
    menu.close()
    return str(menu.className())
