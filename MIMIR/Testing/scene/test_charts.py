import math

import pytest

pytest.importorskip("slicer")

import slicer
import vtk
from scene_study import quantity, sex, study_details

from MIMIRLib.scene.charts import MAX_REACH, name_rows
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.tables import column_values


def chart_of(folder, measurements):
    scene = slicer.vtkMRMLScene()
    details = study_details(folder, measurements=measurements)
    list(show_studies(scene, [(details, Subject())], False))
    return scene, find_results(scene, "1.2.3").chart


@pytest.fixture
def shown(tmp_path):
    """Three rows: a quantity one SD above the mean, the sex, a quantity below."""
    return chart_of(
        tmp_path / "study",
        [quantity("a", 4.0, percentile=84.0), sex(0.9, "male"), quantity("b", 2.5)],
    )


def drawn(chart, name):
    """Return the points of a series; None where the line is broken."""
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(index)
        if series.GetName() == name:
            data = series.GetTableNode()
            columns = (series.GetXColumnName(), series.GetYColumnName())
            points = list(zip(*(column_values(data, column) for column in columns)))
            return [None if math.isnan(x) or math.isnan(y) else (x, y) for x, y in points]
    raise AssertionError(f"no series {name}")


def test_estimates_are_drawn_in_sd_from_the_mean_in_the_tables_rows(shown):
    _, chart = shown
    points = [point for point in drawn(chart, "estimates") if point]
    assert points == [(1.0, 2.0), (-0.5, 3.0)]


def test_intervals_are_lines_from_bound_to_bound_with_breaks_between(shown):
    _, chart = shown
    points = drawn(chart, "95 % intervals")
    assert points == [(0.5, 2.0), (1.5, 2.0), None, (-1.0, 3.0), (0.0, 3.0), None]


def test_the_reference_has_its_mean_and_its_middle(shown):
    _, chart = shown
    assert drawn(chart, "mean of the reference")[:2] == [(0.0, 0.5), (0.0, 3.5)]
    middle = drawn(chart, "middle 95 % of the reference")[:5]
    assert middle == [(-1.96, 0.5), (-1.96, 3.5), None, (1.96, 0.5), (1.96, 3.5)]


def test_rows_go_downwards_as_in_the_table(shown):
    _, chart = shown
    assert not chart.GetYAxisRangeAuto()
    assert chart.GetYAxisRange() == (3.5, 0.5)


def test_values_beyond_the_axis_are_drawn_at_the_edge(tmp_path):
    _, chart = chart_of(tmp_path / "s", [quantity("a", 60.0)])
    assert [point for point in drawn(chart, "estimates") if point] == [(MAX_REACH, 1.0)]
    low, high = chart.GetXAxisRange()
    assert low < -MAX_REACH < MAX_REACH < high


def test_a_negative_estimate_is_drawn_and_written_within_its_interval(tmp_path):
    nothing = quantity("a", -0.9, flags=("BELOW_ZERO",))
    assert nothing.interval_text == "0.0 to 0.0"
    _, chart = chart_of(tmp_path / "s", [nothing])
    (point,) = filter(None, drawn(chart, "estimates"))
    assert drawn(chart, "95 % intervals")[:2] == [point, point]
    series = chart.GetNthPlotSeriesNode(3)
    (words,) = filter(None, column_values(series.GetTableNode(), series.GetLabelColumnName()))
    assert words == "a: 0 L (95 %: 0 to 0)"


def test_series_are_in_no_list_where_they_could_be_put_on_another_patients_chart(shown):
    scene, _ = shown
    series = list(scene.GetNodesByClass("vtkMRMLPlotSeriesNode"))
    assert len(series) == 7
    assert all(one.GetHideFromEditors() for one in series)


def test_an_estimate_has_a_label_in_words(shown):
    _, chart = shown
    series = chart.GetNthPlotSeriesNode(3)
    words = column_values(series.GetTableNode(), series.GetLabelColumnName())
    assert words[:2] == ["a: 4 L (95 %: 3.5 to 4.5)", "b: 2.5 L (95 %: 2 to 3)"]


def test_the_title_warns_of_a_demonstration(shown):
    _, chart = shown
    assert chart.GetTitle() == "1.2.3 (demonstration)"


def test_a_long_title_is_not_cut(tmp_path):
    scene = slicer.vtkMRMLScene()
    subject = Subject("1.2.3", "P1", "D" * 64, "2020-02-29", "neck to knee")
    list(show_studies(scene, [(study_details(tmp_path / "s"), subject)], False))
    title = find_results(scene, "1.2.3").chart.GetTitle()
    assert title == f"{'D' * 64}, 2020-02-29, neck to knee (demonstration)"


def test_a_study_of_classes_alone_has_no_chart(tmp_path):
    _, chart = chart_of(tmp_path / "s", [sex(0.5, "uncertain")])
    assert chart is None


def test_a_plot_view_shows_names_of_rows(shown):
    _, chart = shown
    drawing = vtk.vtkChartXY()
    name_rows(drawing, chart)
    axis = drawing.GetAxis(vtk.vtkAxis.LEFT)
    assert [axis.GetTickLabels().GetValue(index) for index in range(2)] == ["a", "b"]
    assert [axis.GetTickPositions().GetValue(index) for index in range(2)] == [2.0, 3.0]


def test_another_chart_in_the_same_view_has_its_numbers_back(shown):
    _, chart = shown
    drawing = vtk.vtkChartXY()
    name_rows(drawing, chart)
    name_rows(drawing, slicer.vtkMRMLPlotChartNode())
    axis = drawing.GetAxis(vtk.vtkAxis.LEFT)
    axis.SetUnscaledRange(0, 2)
    axis.Update()
    labels = [
        axis.GetTickLabels().GetValue(i) for i in range(axis.GetTickLabels().GetNumberOfValues())
    ]
    assert "a" not in labels
    assert "0" in labels or "0.0" in labels
