"""Show findings in a list, and the selected one with its picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt

from MIMIRLib.panel.label import show_text
from MIMIRLib.panel.row_table import RowTable
from MIMIRLib.presenter.finding_list import FINDING_COLUMNS
from MIMIRLib.presenter.table_row import Row

#: Largest height of a picture (pixels), so that the widgets below stay near.
MAX_PICTURE_HEIGHT = 360


class FindingsView:
    """Shows findings; without any, nothing is shown. See ``presenter.protocols.Findings``.

    Args:
        view: A ``QTreeView``.
        label: A ``QLabel`` for the selected finding.
        picture: A ``QLabel`` for the picture.

    Attributes:
        selected: Emits the key of the selected finding.
    """

    def __init__(self, view: Any, label: Any, picture: Any) -> None:
        self._view, self._label, self._picture = view, label, picture
        self._table = RowTable(view, FINDING_COLUMNS)
        self.selected = self._table.selected
        self.show(())

    def show(self, rows: Sequence[Row]) -> None:
        """Replace all findings by these, and describe none."""
        self._table.show(rows)
        self._view.visible = bool(rows)
        self.describe("", b"")

    def describe(self, text: str, picture: bytes) -> None:
        """Show the text of a finding, and a picture in PNG format."""
        show_text(self._label, text)
        pixmap = qt.QPixmap()
        if picture and pixmap.loadFromData(qt.QByteArray(picture)):
            height = min(pixmap.height(), MAX_PICTURE_HEIGHT)
            self._picture.setPixmap(pixmap.scaledToHeight(height, qt.Qt.SmoothTransformation))
        self._picture.visible = not pixmap.isNull()
