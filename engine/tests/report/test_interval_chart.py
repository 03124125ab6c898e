from dataclasses import replace

import pytest
from many_measurements import many_measurements, one_measurement, without_interval

from mimir_engine.inference_module.published_targets import catalogue
from mimir_engine.measuring.measurement_group import GROUPS
from mimir_engine.report.drawing import Dot, Line, Text, text_width
from mimir_engine.report.interval_chart import IntervalChart, interval_chart
from mimir_engine.report.palette import DARK, LIGHT

VAT = one_measurement(catalogue()["AtlasVatVolume"], 1.0)
SEX = one_measurement(catalogue()["sex"])


def texts(chart: IntervalChart) -> list[str]:
    return [shape.text for shape in chart.drawing.shapes if isinstance(shape, Text)]


def in_row(chart: IntervalChart, index: int, kind: type) -> list:
    row = chart.rows[index]
    heights = {Line: lambda s: s.y1, Dot: lambda s: s.y, Text: lambda s: s.y}
    found = [shape for shape in chart.drawing.shapes if isinstance(shape, kind)]
    inside = [shape for shape in found if row.top < heights[kind](shape) < row.bottom]
    return [shape for shape in inside if kind is not Line or shape.y1 == shape.y2]


@pytest.mark.parametrize("width", [300, 480, 900, 2000])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_nothing_leaves_the_chart_and_no_text_is_cut(width: float, scale: float) -> None:
    chart = interval_chart(many_measurements(), width, LIGHT, scale)
    for shape in chart.drawing.shapes:
        if isinstance(shape, Text):
            wide = text_width(shape.text, shape.size, shape.bold)
            left = shape.x - {"start": 0, "middle": wide / 2, "end": wide}[shape.anchor]
            assert left >= 0
            assert left + wide <= width + 0.01, shape
            assert 0 < shape.y <= chart.drawing.height
            assert not shape.text.endswith("…")


def test_all_measurements_have_a_row_below_each_other() -> None:
    measurements = many_measurements()
    chart = interval_chart(measurements, 700)
    assert {row.name for row in chart.rows} == {m.name for m in measurements}
    ends = [end for row in chart.rows for end in (row.top, row.bottom)]
    assert ends == sorted(ends)


def test_groups_have_headings_in_their_order() -> None:
    headings = [t for t in texts(interval_chart(many_measurements(), 700)) if t in GROUPS]
    assert headings == [group for group in GROUPS if group in headings]
    assert len(headings) > 8


def test_a_row_has_name_value_interval_and_dot() -> None:
    measurement = replace(VAT, value=1.92, lower=1.70, upper=2.10, sd=0.1)
    chart = interval_chart([measurement], 700)
    assert [t.text for t in in_row(chart, 0, Text)] == ["VAT", "1.92 L (1.70 to 2.10)"]
    (line,), (dot,) = in_row(chart, 0, Line), in_row(chart, 0, Dot)
    assert line.x1 < dot.x < line.x2


def test_the_dot_stands_at_the_z_score() -> None:
    at = {z: replace(VAT, value=VAT.z_mean + z * VAT.z_sd, lower=None) for z in (0, 1, 2)}
    places = [in_row(interval_chart([m], 700), 0, Dot)[0].x for m in at.values()]
    assert places[2] - places[1] == pytest.approx(places[1] - places[0])


def test_the_sex_is_a_row_of_text() -> None:
    chart = interval_chart([SEX, VAT], 700)
    assert [t.text for t in in_row(chart, 0, Text)] == ["Sex", "female"]
    assert not in_row(chart, 0, Dot)


def test_an_uncertain_sex_is_shown_with_its_score() -> None:
    assert "uncertain (score 0.50)" in texts(interval_chart([replace(SEX, value=0.5)], 700))


def test_a_value_without_interval_is_a_dot() -> None:
    chart = interval_chart([without_interval(VAT)], 700)
    assert in_row(chart, 0, Dot)
    assert not in_row(chart, 0, Line)


def test_a_negative_quantity_is_drawn_within_its_interval() -> None:
    below = replace(VAT, value=-0.3, lower=-0.8, upper=-0.1, sd=0.1)
    chart = interval_chart([below], 700)
    assert "0.00 L (0.00 to 0.00)" in texts(chart)
    (line,), (dot,) = in_row(chart, 0, Line), in_row(chart, 0, Dot)
    assert line.x1 == dot.x == line.x2


def test_a_value_beyond_the_scale_is_an_arrow_at_its_edge() -> None:
    far = replace(VAT, value=VAT.z_mean + 50 * VAT.z_sd, lower=None)
    chart = interval_chart([far], 700)
    assert not in_row(chart, 0, Dot)
    assert f"{far.value:.2f} L" in texts(chart)


def test_a_flagged_value_is_marked_and_explained() -> None:
    flagged = replace(VAT, flags=("OUTSIDE_TRAINING_RANGE",))
    chart = interval_chart([flagged, SEX], 700)
    assert any(text.endswith("!") for text in texts(chart))
    assert "! flagged" in texts(chart)
    row = next(row for row in chart.rows if row.name == VAT.name)
    assert 'read it as "very small" or "very large"' in row.tooltip


def test_in_a_narrow_chart_intervals_stand_below_their_values() -> None:
    interval = f"({VAT.interval_text})"
    assert interval not in texts(interval_chart([VAT], 700))
    assert interval in texts(interval_chart([VAT], 230))


def test_ticks_without_space_for_their_labels_are_left_out() -> None:
    assert {"mean", "-3", "+3"} <= {*texts(interval_chart([VAT], 700))}
    assert not {"-3", "+3"} & {*texts(interval_chart([VAT], 170))}


def test_what_concerns_all_values_is_said_once() -> None:
    both = [replace(m, flags=("OUTSIDE_VALIDATION",)) for m in (VAT, SEX)]
    said = " ".join(texts(interval_chart(both, 700)))
    assert said.count("was not validated on studies of this kind") == 1
    assert "!" not in said


def test_the_only_measurement_is_marked_if_it_is_flagged() -> None:
    assert "! flagged" in texts(interval_chart([replace(VAT, flags=("BELOW_ZERO",))], 700))


def test_equal_names_of_two_modules_are_told_apart() -> None:
    other = replace(VAT, target="visceralFatVolume", name="p_visceralFatVolume", module="phantom")
    assert {"VAT (published)", "VAT (phantom)"} <= {*texts(interval_chart([VAT, other], 700))}


def test_no_measurements_make_an_empty_chart() -> None:
    chart = interval_chart([], 300)
    assert chart.rows == ()
    assert chart.drawing.height > 0


def test_the_colours_of_a_palette_can_be_told_apart() -> None:
    for palette in (LIGHT, DARK):
        colours = [*vars(palette).values()]
        assert len({*colours}) == len(colours)
