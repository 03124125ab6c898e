"""Show a study's results in Slicer's views: slices, charts and table side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

import qt
import slicer
import vtk

from MIMIRLib.presenter.finding_list import Place
from MIMIRLib.scene.charts import name_rows
from MIMIRLib.scene.results import StudyNodes

#: Opacity of the fat fraction over the water image.
OVERLAY_OPACITY = 0.35
#: Number of a layout of the coronal view beside a chart; Slicer's own are below 1000.
PROFILE_LAYOUT = 5391
PROFILE_LAYOUT_XML = """
<layout type="horizontal" split="true">
 <item>
  <view class="vtkMRMLSliceNode" singletontag="Green">
   <property name="orientation" action="default">Coronal</property>
   <property name="viewlabel" action="default">G</property>
   <property name="viewcolor" action="default">#6EB04B</property>
  </view>
 </item>
 <item>
  <view class="vtkMRMLPlotViewNode" singletontag="PlotView1">
   <property name="viewlabel" action="default">P</property>
  </view>
 </item>
</layout>
"""


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
        _show_chart(nodes.profile if nodes.chart is None else nodes.chart)
        if nodes.water is not None:
            slicer.util.setSliceViewerLayers(
                background=nodes.water,
                foreground=nodes.fraction,
                foregroundOpacity=OVERLAY_OPACITY,
                fit=True,
            )
        self._watch_plots()
        self._timer.start()

    def show_profile(self, nodes: Optional[StudyNodes]) -> None:
        """Show the coronal view, with the parts of the body, beside the profile."""
        manager = slicer.app.layoutManager()
        if nodes is None or manager is None:
            return
        layout = manager.layoutLogic().GetLayoutNode()
        if not layout.IsLayoutDescription(PROFILE_LAYOUT):
            layout.AddLayoutDescription(PROFILE_LAYOUT, PROFILE_LAYOUT_XML)
        manager.setLayout(PROFILE_LAYOUT)
        _show_chart(nodes.profile)
        if nodes.regions is not None:
            nodes.regions.GetDisplayNode().SetVisibility(True)
        if nodes.water is not None:
            slicer.util.setSliceViewerLayers(background=nodes.water, foreground=None, fit=True)
        self._watch_plots()
        self._timer.start()

    def jump(self, nodes: Optional[StudyNodes], place: Place) -> None:
        """Let all slice views show a place; without volumes nothing happens."""
        if nodes is None or nodes.water is None:
            return
        bounds = [0.0] * 6
        nodes.water.GetRASBounds(bounds)
        right, across = (bounds[0] + bounds[1]) / 2, bounds[1] - bounds[0]
        right += {"right": across / 4, "left": -across / 4}.get(place.side, 0.0)
        slicer.vtkMRMLSliceNode.JumpAllSlices(
            slicer.mrmlScene, right, (bounds[2] + bounds[3]) / 2, place.z_mm
        )

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


def _show_chart(chart: Any) -> None:
    """Show a chart in the plot views; None leaves them as they are."""
    if chart is not None:
        logic = slicer.app.applicationLogic()
        logic.GetSelectionNode().SetActivePlotChartID(chart.GetID())
        logic.PropagatePlotChartSelection()


def _plot_widgets() -> Iterator[Any]:
    manager = slicer.app.layoutManager()
    return (manager.plotWidget(number) for number in range(manager.plotViewCount))
