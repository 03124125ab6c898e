"""A study's results in Slicer's views: slices, chart and table side by side."""

from __future__ import annotations

from typing import Optional

import slicer

from MIMIRLib.scene.results import StudyNodes

#: How strongly the fat fraction's colours lie over the water image.
OVERLAY = 0.35


def arrange(nodes: Optional[StudyNodes]) -> None:
    """Show what is there of a study; does nothing without a main window."""
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
            foregroundOpacity=OVERLAY,
            fit=True,
        )
