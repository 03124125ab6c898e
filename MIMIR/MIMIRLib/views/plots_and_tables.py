"""Show a study's table and plot in Slicer's table and plot views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import slicer

from MIMIRLib.scene.charts import name_rows
from MIMIRLib.scene.results import StudyNodes
from MIMIRLib.scene.slice_layers import study_of


def show_table(table: Any) -> None:
    """Show a table in the table views; None empties them."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActiveTableID(None if table is None else table.GetID())
    logic.PropagateTableSelection()


def show_plot(chart: Any) -> None:
    """Show a chart node in the plot views; None empties them."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActivePlotChartID(None if chart is None else chart.GetID())
    logic.PropagatePlotChartSelection()


def leave_other_tables(nodes: StudyNodes) -> None:
    """Replace tables and plots of other results by those of this one; the user's own stay."""
    selection, scene = slicer.app.applicationLogic().GetSelectionNode(), slicer.mrmlScene
    if study_of(scene.GetNodeByID(selection.GetActiveTableID() or "")) not in ("", nodes.key):
        show_table(nodes.table)
    if study_of(scene.GetNodeByID(selection.GetActivePlotChartID() or "")) not in ("", nodes.key):
        show_plot(nodes.profile if nodes.chart is None else nodes.chart)


class RowNames:
    """Names the rows of MIMIR's plots: nodes of charts have numbers only on their axes.

    Args:
        manager: Slicer's layout manager.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def view_nodes(self) -> list[Any]:
        """Return the nodes of the plot views."""
        return [widget.mrmlPlotViewNode() for widget in self._widgets()]

    def update(self) -> None:
        """Name the rows of the plots that are shown now."""
        for widget in self._widgets():
            name_rows(widget.plotView().chart(), widget.mrmlPlotViewNode().GetPlotChartNode())
            widget.plotView().renderWindow().Render()

    def _widgets(self) -> Iterator[Any]:
        return map(self._manager.plotWidget, range(self._manager.plotViewCount))
