"""Keep the panel as high as Slicer's module panel, so that its foot is always in sight.

Slicer puts each module's widget into a scroll area. The panel has one of its own for its sections;
given the height of Slicer's, only the sections scroll, and the foot stays.
"""

from __future__ import annotations

from typing import Any, Optional

import qt

#: Events after which the room for the panel may have changed.
_ROOM_EVENTS = (qt.QEvent.Resize, qt.QEvent.LayoutRequest, qt.QEvent.Show)
#: Largest height of a Qt widget (pixels): no limit.
_NO_LIMIT = 16777215


class PanelHeight(qt.QObject):
    """Gives a panel the height that Slicer's scroll area has left.

    Args:
        panel: The panel; its ``minimumHeight`` is the least that it gets.
    """

    def __init__(self, panel: Any) -> None:
        qt.QObject.__init__(self)
        self._panel, self._least = panel, panel.minimumHeight
        self._area: Optional[Any] = None
        panel.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Fit the panel after a change of the room; never stop an event."""
        if event.type() in _ROOM_EVENTS:
            self.fit()
        return False

    def fit(self) -> None:
        """Give the panel the height below what stands above it; without a scroll area, any."""
        if self._area is None:
            self._area = _scroll_area_around(self._panel)
            if self._area is None:
                return
            self._area.viewport().installEventFilter(self)
            self._area.widget().installEventFilter(self)
        content = self._area.widget()
        if content is None or not content.isAncestorOf(self._panel):
            return  # Slicer shows another module
        above = self._panel.mapTo(content, qt.QPoint(0, 0)).y()
        below = content.layout().contentsMargins().bottom() if content.layout() else 0
        height = max(self._area.viewport().height - above - below, self._least)
        if self._panel.maximumHeight != height:
            self._panel.minimumHeight = self._panel.maximumHeight = height

    def close(self) -> None:
        """Stop watching Slicer's widgets."""
        self._panel.removeEventFilter(self)
        if self._area is not None:
            self._area.viewport().removeEventFilter(self)
            self._area.widget().removeEventFilter(self)
        self._panel.minimumHeight, self._panel.maximumHeight = self._least, _NO_LIMIT


def _scroll_area_around(widget: Any) -> Optional[Any]:
    parent = widget.parentWidget()
    while parent is not None and not parent.inherits("QScrollArea"):
        parent = parent.parentWidget()
    return parent
