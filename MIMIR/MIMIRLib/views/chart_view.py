"""Show the estimates of a study in a chart with scroll bar, tooltips and the panel's filter."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Optional

import qt

from MIMIRLib.plain_text import plain, plain_tooltip
from MIMIRLib.presenter.chart_content import ChartContent
from MIMIRLib.translate import tr as _
from MIMIRLib.views.painted_shapes import paint

#: Narrowest chart whose texts can be read (pixels); narrower views scroll.
MIN_WIDTH = 300
#: Letters get smaller in views narrower than this many letters, down to a size (pixels).
WIDTH_IN_LETTERS, MIN_LETTER = 36, 10
#: Size of the engine's letters in points at scale 1.
LETTERS = 9.0
#: Colours darker than this (0 to 255) are a dark theme's.
DARK_LIGHTNESS = 128


class ChartView:
    """A widget with the title and the chart of one study.

    Attributes:
        widget: The widget, for a layout.
    """

    def __init__(self) -> None:
        self.widget = qt.QWidget()
        self._title, self._scene = qt.QLabel(), qt.QGraphicsScene()
        self._title.setTextFormat(qt.Qt.PlainText)
        self._title.wordWrap = True
        self._title.setMargin(4)
        self._view = _ResizingView(self._scene, self._draw)
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._title)
        layout.addWidget(self._view.view)
        self.widget.setMinimumWidth(MIN_WIDTH // 2)
        self._content = ChartContent()
        self._names: Optional[Collection[str]] = None
        self.show(ChartContent(sentence=_("No result is chosen.")))

    @property
    def key(self) -> str:
        """Key of the study shown; empty if there is none."""
        return self._content.key

    @property
    def title(self) -> str:
        """The title shown."""
        return str(self._title.text)

    @property
    def texts(self) -> list[str]:
        """The texts in the chart, from top to bottom as drawn."""
        items = self._scene.items(qt.Qt.AscendingOrder)
        return [item.text() for item in items if hasattr(item, "text")]

    def show(self, content: ChartContent) -> None:
        """Show a study's chart in place of any other's."""
        is_other = content.key != self._content.key
        self._content = content
        self._names = None if is_other else self._names
        research = _("research use only")
        self._title.text = plain(f"{content.label} ({research})" if content.label else research)
        self._draw()
        if is_other:
            self._view.view.verticalScrollBar().setValue(0)

    def show_only(self, names: Optional[Collection[str]]) -> None:
        """Show only the measurements with these names; None for all."""
        self._names = names
        self._draw()

    def close(self) -> None:
        """Show no one's chart any more."""
        self.show(ChartContent())

    def _draw(self) -> None:
        self._scene.clear()
        view = self._view.view
        width = max(view.viewport().width, MIN_WIDTH)
        is_wide = view.viewport().width >= MIN_WIDTH
        policy = qt.Qt.ScrollBarAlwaysOff if is_wide else qt.Qt.ScrollBarAsNeeded
        view.setHorizontalScrollBarPolicy(policy)
        letter = qt.QFontInfo(self.widget.font).pixelSize()
        letter = min(letter, max(width // WIDTH_IN_LETTERS, MIN_LETTER))
        measurements = self._content.only(self._names)
        sentence = self._content.sentence
        if not measurements:
            sentence = sentence or _("No measurement is shown in the table, or none is ticked.")
            item = self._scene.addText(plain(sentence), self.widget.font)
            item.setTextWidth(width - letter)
            self._scene.setSceneRect(self._scene.itemsBoundingRect())
            return
        from mimir_engine.report.interval_chart import interval_chart
        from mimir_engine.report.palette import DARK, LIGHT

        lightness = self.widget.palette.color(qt.QPalette.Base).lightness()
        palette = DARK if lightness < DARK_LIGHTNESS else LIGHT
        chart = interval_chart(measurements, width, palette, letter / LETTERS)
        view.setBackgroundBrush(qt.QBrush(qt.QColor(palette.background)))
        paint(self._scene, chart.drawing, self.widget.font)
        for row in chart.rows:
            clear = qt.QPen(qt.Qt.NoPen)
            area = self._scene.addRect(0.0, row.top, width, row.bottom - row.top, clear)
            area.setToolTip(plain_tooltip(row.tooltip))
        self._scene.setSceneRect(0.0, 0.0, width - 1, chart.drawing.height)


class _ResizingView:
    """A scrolling view of a scene that calls a function when its width changes."""

    def __init__(self, scene: Any, resized: Any) -> None:
        self.view = qt.QGraphicsView(scene)
        self.view.setFrameShape(qt.QFrame.NoFrame)
        self.view.setAlignment(qt.Qt.AlignLeft | qt.Qt.AlignTop)
        self.view.setRenderHint(qt.QPainter.Antialiasing)
        # Always there: a chart that fits with or without it would flicker.
        self.view.setVerticalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOn)
        self._width, self._resized = -1, resized
        self._filter = _ResizeFilter(self._note)
        self.view.viewport().installEventFilter(self._filter)

    def _note(self) -> None:
        width = self.view.viewport().width
        if width != self._width:
            self._width = width
            self._resized()


class _ResizeFilter(qt.QObject):
    """Calls a function after a widget was resized or its colours have changed."""

    def __init__(self, call: Any) -> None:
        qt.QObject.__init__(self)
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", call)

    def eventFilter(self, _watched: Any, event: Any) -> bool:  # noqa: N802 (Qt's name)
        """Start the timer; the event goes on to the widget."""
        if event.type() in (qt.QEvent.Resize, qt.QEvent.PaletteChange):
            self._timer.start()
        return False
