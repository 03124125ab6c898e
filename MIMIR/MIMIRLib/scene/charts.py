"""A study's estimates against the reference population, as a plot chart.

Every quantity is drawn on its own scale: standard deviations of the training data around its mean.
A row of the chart is the row of the table of measurements with that number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import slicer
import vtk

from MIMIRLib.scene.marks import CHART, CHART_DATA, node_name, plain
from MIMIRLib.scene.tables import Column, column_values, table_node

ESTIMATE_COLOUR, REFERENCE_COLOUR = (0.12, 0.37, 0.66), (0.54, 0.58, 0.62)
#: The middle 95 % of a normal population lie within so many standard deviations.
MIDDLE_95 = 1.96
#: Standard deviations to both sides, at the least and the most; farther is drawn at the edge.
LEAST_REACH, MOST_REACH = 3.0, 8.0
#: Longer names of studies are cut off in the title, in characters.
LONGEST_TITLE = 30
GAP = math.nan
ROW_NAMES, ROWS = "measurement", "estimate_row"


@dataclass(frozen=True)
class Chart:
    """Nodes of a chart, not in a scene yet; ``connect`` ties them together when they are.

    Attributes:
        chart: The plot chart.
        series: What is drawn, from back to front.
        data: The table that it is drawn from.
    """

    chart: Any
    series: tuple[Any, ...]
    data: Any

    def connect(self) -> None:
        """Let the chart show the series, and the series the data."""
        for series in self.series:
            series.SetAndObserveTableNodeID(self.data.GetID())
            self.chart.AddAndObservePlotSeriesNodeID(series.GetID())


def study_chart(measurements: Sequence[Any], label: str) -> Chart:
    """The chart of a study's quantities.

    Args:
        measurements: The engine's ``Measurement``s, at least one of them a quantity.
        label: What the nodes' names begin with.
    """
    reach = _reach(measurements)
    series = (
        _series("middle 95 % of the reference", "middle", REFERENCE_COLOUR, 1.0, dashed=True),
        _series("mean of the reference", "mean", REFERENCE_COLOUR, 1.0),
        _series(f"{100 * measurements[0].level:g} % intervals", "interval", ESTIMATE_COLOUR, 3.0),
        _series("estimates", "estimate", ESTIMATE_COLOUR, 1.0, marker=True),
    )
    chart = slicer.vtkMRMLPlotChartNode()
    chart.SetName(node_name(CHART, label))
    demonstration = any(m.demonstration for m in measurements)
    said = "demonstration" if demonstration else "research use only"
    chart.SetTitle(f"{shorten(label, LONGEST_TITLE, placeholder=' …')} ({said})")
    chart.SetXAxisTitle("SD from the training mean (dashed: ±1.96)")
    chart.SetYAxisTitle("row of the table")
    chart.SetTitleFontSize(13)
    chart.SetAxisTitleFontSize(12)
    chart.SetAxisLabelFontSize(11)
    chart.SetLegendVisibility(False)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(-1.05 * reach, 1.05 * reach)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(len(measurements) + 0.5, 0.5)  # downwards, as in the table
    data = table_node(_padded(_columns(measurements, reach)), node_name(CHART_DATA, label))
    return Chart(chart, series, data)


def name_rows(drawn: Any, chart: Any) -> None:
    """Write the measurements' names beside their rows where the chart is drawn.

    A chart node knows numbers only. What a view draws it with lets itself be given names.

    Args:
        drawn: The vtkChartXY of a plot view.
        chart: The chart node that it shows; rows of a chart that is not MIMIR's get numbers again.
    """
    axis = drawn.GetAxis(vtk.vtkAxis.LEFT)
    data = _data_of(chart)
    if data is None:
        axis.SetCustomTickPositions(None, None)
        return
    positions, labels = vtk.vtkDoubleArray(), vtk.vtkStringArray()
    for row, name in zip(column_values(data, ROWS), column_values(data, ROW_NAMES)):
        if not math.isnan(row):
            positions.InsertNextValue(row)
            labels.InsertNextValue(name)
    axis.SetCustomTickPositions(positions, labels)
    axis.SetTitle("")


def _data_of(chart: Any) -> Any:
    series = chart.GetNthPlotSeriesNode(0) if chart is not None else None
    data = series.GetTableNode() if series is not None else None
    has_names = data is not None and data.GetTable().GetColumnByName(ROWS) is not None
    return data if has_names else None


def _columns(measurements: Sequence[Any], reach: float) -> list[Column]:
    rows = [(n, m) for n, m in enumerate(measurements, start=1) if m.kind != "class"]
    top, bottom = 0.5, len(measurements) + 0.5
    ends = [(_edge(m, m.lower_shown, reach), _edge(m, m.upper_shown, reach)) for _, m in rows]
    return [
        Column("estimate", [_edge(m, m.value, reach) for _, m in rows]),
        Column(ROWS, [float(number) for number, _ in rows]),
        Column("interval", [z for low, high in ends for z in (low, high, GAP)]),
        Column("interval_row", [r for number, _ in rows for r in (*[float(number)] * 2, GAP)]),
        Column("mean", [0.0, 0.0]),
        Column("mean_row", [top, bottom]),
        Column("middle", [-MIDDLE_95, -MIDDLE_95, GAP, MIDDLE_95, MIDDLE_95]),
        Column("middle_row", [top, bottom, GAP, top, bottom]),
        # Texts last: of a row that begins with an empty one, Slicer's reader drops the first cell.
        Column(ROW_NAMES, [plain(m.label) for _, m in rows]),
        Column("in_words", [_in_words(m) for _, m in rows]),
    ]


def _padded(columns: Sequence[Column]) -> list[Column]:
    """Columns of one length: what is missing is not drawn."""
    length = max(len(column.values) for column in columns)

    def filled(column: Column) -> Column:
        missing = length - len(column.values)
        return Column(column.name, [*column.values, *["" if column.is_text else GAP] * missing])

    return [filled(column) for column in columns]


def _series(
    name: str,
    column: str,
    colour: tuple[float, float, float],
    width: float,
    dashed: bool = False,
    marker: bool = False,
) -> Any:
    series = slicer.vtkMRMLPlotSeriesNode()
    series.SetName(name)
    series.SetPlotType(series.PlotTypeScatter)
    series.SetXColumnName(column)
    series.SetYColumnName(f"{column}_row")
    series.SetColor(*colour)
    series.SetLineWidth(width)
    line = series.LineStyleDash if dashed else series.LineStyleSolid
    series.SetLineStyle(series.LineStyleNone if marker else line)
    series.SetMarkerStyle(series.MarkerStyleCircle if marker else series.MarkerStyleNone)
    series.SetMarkerSize(9.0)
    if marker:
        series.SetLabelColumnName("in_words")
    return series


def _reach(measurements: Sequence[Any]) -> float:
    """The farthest bound from the mean, within limits."""
    quantities = [m for m in measurements if m.kind != "class"]
    far = [abs(m.z_of(end)) for m in quantities for end in (m.lower_shown, m.upper_shown)]
    return min(max([LEAST_REACH, *far]), MOST_REACH)


def _edge(measurement: Any, value: float, reach: float) -> float:
    """A value's place on the chart, at its edge where it lies beyond."""
    return min(max(measurement.z_of(value), -reach), reach)


def _in_words(measurement: Any) -> str:
    m = measurement
    interval = f"{m.lower_shown:.4g} to {m.upper_shown:.4g}"
    return plain(f"{m.label}: {m.value:.4g} {m.unit} ({100 * m.level:g} %: {interval})")
