"""The panel in a small window: its foot, its width, its keyboard, its names for screen readers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import qt
import slicer

from MIMIRLib.presenter.panel_state import PanelState
from MIMIRLib.presenter.table_row import Cell, Row
from MIMIRLib.slicer_tests.panel_tests import PanelCase

#: Width that the panel fits into (pixels).
WIDTH = 360
#: Classes of widgets that users operate.
OPERATED = ("QAbstractButton", "QTreeView", "QComboBox", "QLineEdit", "QAbstractSpinBox")
#: Classes of their inner parts and of headers of sections, whose text says all.
INNER = ("QToolButton", "ctkCollapsibleButton", "QHeaderView")
LONG = "an inference module with a description that does not end " * 20
UID = "1.2.826.0.1.3680043.8.498." + "1234567890" * 4


class PanelShapeTest(PanelCase):
    """The panel in a window of 1200 x 700 pixels."""

    def setUp(self) -> None:
        """Make the window small and the panel narrow."""
        super().setUp()
        self.panel = self.ui.foot.parentWidget()
        self.state = PanelState(studies=1, shown=1)
        window = slicer.util.mainWindow()
        if window is None:
            self.skipTest("This test needs a main window.")
        self.addCleanup(window.resize, window.width, window.height)
        window.resize(1200, 700)
        dock = slicer.util.findChild(window, "PanelDockWidget")
        window.resizeDocks([dock], [WIDTH], qt.Qt.Horizontal)
        self.addCleanup(self.module.presenter.update)
        settle()

    def assert_foot_is_in_sight(self) -> None:
        """Apply is inside what Slicer shows of the panel."""
        settle()
        for button in (self.ui.applyButton, self.ui.cancelButton):
            shown = button.visibleRegion().boundingRect()
            assert (shown.width(), shown.height()) == (button.width, button.height)

    def test_the_foot_stays_in_sight(self) -> None:
        """Whatever is open, chosen or scrolled."""
        self.assert_foot_is_in_sight()
        for section in (self.ui.optionsSection, self.ui.logSection, self.ui.modulesSection):
            section.collapsed = False
        bar = self.ui.sectionsArea.verticalScrollBar()
        settle()
        assert bar.maximum > 0
        for place in (bar.maximum, 0):
            bar.setValue(place)
            self.assert_foot_is_in_sight()
        self.ui.optionsSection.collapsed = self.ui.logSection.collapsed = True

    def test_nothing_makes_the_panel_wider(self) -> None:
        """Neither long texts nor 58 targets nor UIDs."""
        targets = ", ".join(f"abdominal subcutaneous fat volume {n} (mL)" for n in range(58))
        text = f"{LONG}\nMeasures 58 measurements: {targets}.\nFolder: /home/{UID}/{UID}"
        failed = f"FILES_GONE: the study {UID} was not found. {LONG}"
        state = replace(self.state, module_text=text, study_text=failed, message=failed, results=1)
        view = self.module.view
        view.show_state(state)
        self.ui.moduleMoreButton.checked = True
        view.show_failures([failed, failed])
        view.findings.show([Row("1", (Cell("stop"), Cell(LONG), Cell(UID)))])
        view.findings.describe(failed, b"")
        view.results.show_titles([("1", LONG)], "1")
        settle()
        self.addCleanup(self.module.presenter.refresh_results)
        try:
            needed = self.ui.sectionsWidget.minimumSizeHint.width()
            bar = self.ui.sectionsArea.verticalScrollBar().sizeHint.width()
            assert needed + bar <= WIDTH, needed
            assert self.panel.minimumSizeHint.width() <= WIDTH
            assert self.panel.minimumWidth <= WIDTH
            assert self.ui.sectionsWidget.width <= self.ui.sectionsArea.viewport().width
            self.assert_foot_is_in_sight()
            assert UID not in self.ui.statusLabel.text
            assert UID in self.ui.statusLabel.toolTip
            assert UID in self.ui.failuresText.plainText
        finally:
            self.ui.moduleMoreButton.checked = False
            view.show_failures([])
            view.findings.show([])

    def test_a_description_folds(self) -> None:
        """Its first line stays."""
        self.module.view.show_state(replace(self.state, module_text="A module\nMore of it."))
        assert self.ui.moduleLabel.text == "A module"
        assert self.ui.moduleDetailsLabel.isHidden()
        self.ui.moduleMoreButton.click()
        assert not self.ui.moduleDetailsLabel.isHidden()
        assert self.ui.moduleDetailsLabel.text == "More of it."
        self.ui.moduleMoreButton.click()

    def test_sections_remember_whether_they_are_open(self) -> None:
        """As one of the user's settings."""
        self.addCleanup(qt.QSettings().remove, "MIMIR/optionsSectionCollapsed")
        self.ui.optionsSection.collapsed = False
        assert qt.QSettings().value("MIMIR/optionsSectionCollapsed") == "false"
        self.ui.optionsSection.collapsed = True
        assert qt.QSettings().value("MIMIR/optionsSectionCollapsed") == "true"

    def test_arrows_describe_and_enter_ticks(self) -> None:
        """In the lists of studies and of inference modules."""
        view = self.ui.modulesView
        view.setCurrentIndex(qt.QModelIndex())
        view.setCurrentIndex(view.model().index(0, 1))  # as an arrow key does
        assert self.ui.moduleLabel.text
        view = self.ui.studiesView
        view.setFocus()
        view.setCurrentIndex(view.model().index(0, 2))
        first = view.model().index(0, 0)
        assert int(first.data(qt.Qt.CheckStateRole)) == 0
        press(view, qt.Qt.Key_Return)
        assert int(first.data(qt.Qt.CheckStateRole)) == 2
        assert self.ui.applyButton.enabled
        press(view, qt.Qt.Key_Return)
        assert int(first.data(qt.Qt.CheckStateRole)) == 0

    def test_enter_presses_the_button_with_the_focus(self) -> None:
        """As Space does."""
        assert self.ui.applyButton.autoDefault
        self.tick()
        self.ui.tickNoneButton.setFocus()
        press(self.ui.tickNoneButton, qt.Qt.Key_Return)
        assert self.ui.tickedLabel.text == "No study is ticked."

    def test_every_widget_has_a_tooltip_and_a_name(self) -> None:
        """A screen reader reads the name, or else a button's text."""
        nameless, silent = [], []
        for widget in slicer.util.findChildren(self.panel):
            if not is_operated(widget):
                continue
            if not widget.accessibleName and not getattr(widget, "text", ""):
                nameless.append(widget.objectName)
            if not widget.toolTip:
                silent.append(widget.objectName)
        assert not {*nameless} - {"repairButton"}, nameless  # it has a text while it is shown
        assert not silent, silent

    def test_no_colour_is_fixed(self) -> None:
        """So that the panel is readable in light and dark themes."""
        for widget in slicer.util.findChildren(self.panel):
            if widget.isWidgetType() and widget.objectName in dir(self.ui):
                assert not widget.styleSheet, widget.objectName


def is_operated(widget: Any) -> bool:
    """Whether it is a widget of the panel that users operate."""
    if not widget.isWidgetType() or not widget.objectName or widget.objectName.startswith("qt_"):
        return False
    is_inner = any(widget.inherits(name) for name in INNER) and widget.objectName != (
        "moduleMoreButton"
    )
    return not is_inner and any(widget.inherits(name) for name in OPERATED)


def press(widget: Any, key: Any) -> None:
    """Press a key."""
    for kind in (qt.QEvent.ShortcutOverride, qt.QEvent.KeyPress, qt.QEvent.KeyRelease):
        slicer.app.sendEvent(widget, qt.QKeyEvent(kind, key, qt.Qt.NoModifier))
    slicer.app.processEvents()


def settle() -> None:
    """Let Qt lay everything out."""
    for _n in range(5):
        slicer.app.processEvents()
