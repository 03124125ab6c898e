"""Show a study's results in Slicer's views: slices, chart and table side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

import qt
import slicer
import vtk

from MIMIRLib.scene.charts import name_rows
from MIMIRLib.scene.results import StudyNodes

#: Opacity of the fat fraction over the water image.
OVERLAY_OPACITY = 0.35


class ResultViews:
    """Slicer's views; without a main window nothing happens."""

    def __init__(self) -> None:
        self._observed: list[tuple[Any, int]] = []
        self._timer = qt.QTimer()  # views draw a chart after their node was changed
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._name_rows)

    def arrange(self, nodes: Optional[StudyNodes]) -> None:
        """Show those nodes of a study that exist."""
        manager = slicer.app.layoutManager()
        if nodes is None or manager is None:
            return
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView)
        logic = slicer.app.applicationLogic()
        selection = logic.GetSelectionNode()
        if nodes.table is not None:
            selection.SetActiveTableID(nodes.table.GetID())
            logic.PropagateTableSelection()
        if nodes.chart is not None:
            selection.SetActivePlotChartID(nodes.chart.GetID())
            logic.PropagatePlotChartSelection()
        if nodes.water is not None:
            slicer.util.setSliceViewerLayers(
                background=nodes.water,
                foreground=nodes.fraction,
                foregroundOpacity=OVERLAY_OPACITY,
                fit=True,
            )
        self._watch_plots()
        self._timer.start()

    def close(self) -> None:
        """Stop observing the views."""
        self._timer.stop()
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed.clear()

    def _watch_plots(self) -> None:
        """Name the rows again when a plot view shows another chart."""
        known = {node for node, _ in self._observed}
        for widget in _plot_widgets():
            node = widget.mrmlPlotViewNode()
            if node not in known:
                tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._timer.start())
                self._observed.append((node, tag))

    def _name_rows(self) -> None:
        for widget in _plot_widgets():
            name_rows(widget.plotView().chart(), widget.mrmlPlotViewNode().GetPlotChartNode())
            widget.plotView().renderWindow().Render()


def _plot_widgets() -> Iterator[Any]:
    manager = slicer.app.layoutManager()
    return (manager.plotWidget(number) for number in range(manager.plotViewCount))
