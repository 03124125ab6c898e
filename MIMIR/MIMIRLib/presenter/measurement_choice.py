"""Keep which measurements the user wants to see: by search, by group and by ticks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from MIMIRLib.presenter.measurement_rows import measurement_row
from MIMIRLib.presenter.table_row import Row, filter_pattern
from MIMIRLib.scene.shown_measurement import ShownMeasurement


class MeasurementChoice:
    """The user's choice; it stays when another study is selected.

    Attributes:
        pattern: What the texts of a row must match, see ``filter_pattern``.
        group: The group chosen; empty for all.
        unticked: Names of measurements that are not ticked.
    """

    def __init__(self) -> None:
        self.pattern, self.group = "", ""
        self.unticked: set[str] = set()

    def search(self, text: str) -> None:
        """Show only rows with all words of a text."""
        self.pattern = filter_pattern(text)

    def tick(self, names: Iterable[str], ticked: bool) -> None:
        """Tick or untick measurements."""
        (self.unticked.difference_update if ticked else self.unticked.update)(names)

    def rows(self, shown: Sequence[ShownMeasurement]) -> list[Row]:
        """Return the measurements of the group as rows of the table."""
        group = self.group_in(shown)
        return [
            measurement_row(one, one.name not in self.unticked)
            for one in shown
            if group in ("", one.group)
        ]

    def group_in(self, shown: Sequence[ShownMeasurement]) -> str:
        """Return the group chosen; empty for all, also if none of the measurements is in it."""
        return self.group if any(one.group == self.group for one in shown) else ""

    def names(self, shown: Sequence[ShownMeasurement]) -> list[str]:
        """Return the names of the measurements for the chart: shown in the table, and ticked."""
        rows = self.rows(shown)
        return [row.key for row in rows if row.ticked and re.match(self.pattern, row.searched)]
