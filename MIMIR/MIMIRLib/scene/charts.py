"""Plot a study's estimates against the reference population.

Each quantity has its own scale: standard deviations of the training data from its mean. The rows of
the chart have the numbers of the rows in the table of measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import slicer
import vtk

from MIMIRLib.scene.node_marks import CHART, CHART_DATA, SERIES, node_name, single_line
from MIMIRLib.scene.tables import Column, column_values, table_node
from MIMIRLib.scene.transaction import Transaction
from MIMIRLib.translate import tr as _

ESTIMATE_COLOUR, REFERENCE_COLOUR = (0.12, 0.37, 0.66), (0.54, 0.58, 0.62)
#: The middle 95 % of a normal population lie within this many standard deviations.
MIDDLE_95 = 1.96
#: Smallest and largest range of the axis to both sides (standard deviations); a point beyond is
#: drawn at the edge.
MIN_REACH, MAX_REACH = 3.0, 8.0
GAP = math.nan
ROW_NAMES, ROWS = "measurement", "estimate_row"


def add_chart(transaction: Transaction, key: str, label: str, measurements: Sequence[Any]) -> Any:
    """Add the chart of a study's quantities to the scene.

    Args:
        transaction: The transaction that adds nodes.
        key: The study's key.
        label: The study's label in the nodes' names.
        measurements: The engine's ``Measurement``s, at least one of them a quantity.

    Returns:
        The chart's node.
    """
    reach = _reach(measurements)
    columns = _padded(_columns(measurements, reach))
    data = table_node(columns, node_name(CHART_DATA, label))
    transaction.add(data, key, CHART_DATA, in_tree=False)
    demonstration = any(m.demonstration for m in measurements)
    purpose = _("demonstration") if demonstration else _("research use only")
    chart = chart_node(node_name(CHART, label), label, purpose)
    chart.SetXAxisTitle(_("SD from the training mean (dashed: ±1.96)"))
    chart.SetYAxisTitle(_("row of the table"))
    chart.SetLegendVisibility(False)
    chart.SetXAxisRange(-1.05 * reach, 1.05 * reach)
    chart.SetYAxisRange(len(measurements) + 0.5, 0.5)  # downwards, as in the table
    transaction.add(chart, key, CHART)
    for series in _all_series(100 * measurements[0].level):
        transaction.add(series, key, SERIES, in_tree=False)
        series.SetAndObserveTableNodeID(data.GetID())
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return chart


def chart_node(name: str, label: str, purpose: str) -> Any:
    """Return a chart whose axes have fixed ranges, still to be set; not in a scene yet."""
    chart = slicer.vtkMRMLPlotChartNode()
    chart.SetName(name)
    chart.SetTitle(f"{label} ({purpose})")
    chart.SetTitleFontSize(13)
    chart.SetAxisTitleFontSize(12)
    chart.SetAxisLabelFontSize(11)
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    return chart


def _all_series(percent: float) -> list[Any]:
    """Return the plot series of a chart, from back to front."""
    intervals = _("{percent:g} % intervals").format(percent=percent)
    middle = _("middle 95 % of the reference")
    return [
        series_node(middle, "middle", "middle_row", REFERENCE_COLOUR, 1.0, dashed=True),
        series_node(_("mean of the reference"), "mean", "mean_row", REFERENCE_COLOUR, 1.0),
        series_node(intervals, "interval", "interval_row", ESTIMATE_COLOUR, 3.0),
        series_node(_("estimates"), "estimate", "estimate_row", ESTIMATE_COLOUR, 1.0, marker=True),
    ]


def name_rows(drawn: Any, chart: Any) -> None:
    """Label the rows with the measurements' names.

    A chart node has numbers only on its axes, but the chart of a view accepts names.

    Args:
        drawn: The vtkChartXY of a plot view.
        chart: The chart node that it shows; if it is not MIMIR's, its rows get numbers again.
    """
    axis = drawn.GetAxis(vtk.vtkAxis.LEFT)
    series = chart.GetNthPlotSeriesNode(0) if chart is not None else None
    data = series.GetTableNode() if series is not None else None
    if data is None or data.GetTable().GetColumnByName(ROWS) is None:
        axis.SetCustomTickPositions(None, None)
        return
    positions, labels = vtk.vtkDoubleArray(), vtk.vtkStringArray()
    for row, name in zip(column_values(data, ROWS), column_values(data, ROW_NAMES)):
        if not math.isnan(row):
            positions.InsertNextValue(row)
            labels.InsertNextValue(name)
    axis.SetCustomTickPositions(positions, labels)
    axis.SetTitle("")


def _columns(measurements: Sequence[Any], reach: float) -> list[Column]:
    rows = [(n, m) for n, m in enumerate(measurements, start=1) if m.kind != "class"]
    top, bottom = 0.5, len(measurements) + 0.5
    ends = [(_edge(m, m.lower_shown, reach), _edge(m, m.upper_shown, reach)) for _number, m in rows]
    return [
        Column("estimate", [_edge(m, m.value_shown, reach) for _number, m in rows]),
        Column(ROWS, [float(number) for number, _ in rows]),
        Column("interval", [z for low, high in ends for z in (low, high, GAP)]),
        Column("interval_row", [r for number, _ in rows for r in (*[float(number)] * 2, GAP)]),
        Column("mean", [0.0, 0.0]),
        Column("mean_row", [top, bottom]),
        Column("middle", [-MIDDLE_95, -MIDDLE_95, GAP, MIDDLE_95, MIDDLE_95]),
        Column("middle_row", [top, bottom, GAP, top, bottom]),
        # Texts come last: Slicer's reader drops the first cell of a row if it is empty.
        Column(ROW_NAMES, [single_line(m.label) for _number, m in rows]),
        Column("in_words", [_in_words(m) for _number, m in rows]),
    ]


def _padded(columns: Sequence[Column]) -> list[Column]:
    """Return columns of equal length; missing points are not drawn."""
    length = max(len(column.values) for column in columns)
    return [
        replace(c, values=[*c.values, *["" if c.is_text else GAP] * (length - len(c.values))])
        for c in columns
    ]


def series_node(
    name: str,
    x: str,
    y: str,
    colour: tuple[float, float, float],
    width: float,
    dashed: bool = False,
    marker: bool = False,
) -> Any:
    """Return the plot of one column of a table over another; not in a scene yet."""
    series = slicer.vtkMRMLPlotSeriesNode()
    series.SetName(name)
    # The list of series above a plot view would offer those of all patients under the same names;
    # and Slicer 5.8 takes the first one off the chart while it fills this list from a scene file.
    series.HideFromEditorsOn()
    series.SetPlotType(series.PlotTypeScatter)
    series.SetXColumnName(x)
    series.SetYColumnName(y)
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
    """Return the largest distance of a bound from the mean, within limits."""
    quantities = [m for m in measurements if m.kind != "class"]
    far = [abs(m.z_of(end)) for m in quantities for end in (m.lower_shown, m.upper_shown)]
    return min(max([MIN_REACH, *far]), MAX_REACH)


def _edge(measurement: Any, value: float, reach: float) -> float:
    """Return a value's place on the chart, or the edge if it lies beyond."""
    return min(max(measurement.z_of(value), -reach), reach)


def _in_words(measurement: Any) -> str:
    m = measurement
    text = _("{label}: {value:.4g} {unit} ({percent:g} %: {low:.4g} to {high:.4g})").format(
        label=m.label,
        value=m.value_shown,
        unit=m.unit,
        percent=100 * m.level,
        low=m.lower_shown,
        high=m.upper_shown,
    )
    return single_line(text)
