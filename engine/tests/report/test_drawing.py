from xml.etree import ElementTree

from mimir_engine.report.drawing import Box, Dot, Drawing, Line, Text, svg, text_width, wrap_text

SHAPES = (
    Box(0, 0, 100, 50, "#ffffff"),
    Line(1, 2, 3, 4, "#112233", 0.5, dashed=True),
    Dot(5, 6, 2.5, "#445566"),
    Text(7, 8, "VAT", 9, "#778899", anchor="end", bold=True),
)


def test_each_shape_is_one_element() -> None:
    root = ElementTree.fromstring(svg(Drawing(100, 50, SHAPES), "a chart"))
    tags = [element.tag.split("}")[1] for element in root]
    assert tags == ["title", "rect", "line", "circle", "text"]
    assert root.attrib["viewBox"] == "0 0 100 50"


def test_hostile_text_stays_text() -> None:
    hostile = '</text><script>alert("1")</script>\x00\u202e&'
    root = ElementTree.fromstring(svg(Drawing(9, 9, (Text(0, 0, hostile, 9, "#000000"),)), hostile))
    assert [element.tag.split("}")[1] for element in root] == ["title", "text"]
    assert root[1].text == '</text><script>alert("1")</script>  &'


def test_equal_drawings_are_equal_text() -> None:
    assert svg(Drawing(100, 50, SHAPES)) == svg(Drawing(100, 50, SHAPES))


def test_numbers_have_no_negative_zero() -> None:
    assert 'x="0"' in svg(Drawing(1, 1, (Text(-0.001, 0, "", 9, "#000000"),)))


def test_wrapping_leaves_nothing_out_and_fits() -> None:
    text = "Total abdominal adipose tissue index over Donaudampfschifffahrtsgesellschaft 脂肪体積"
    lines = wrap_text(text, 9, 60)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, 9) <= 60 for line in lines)


def test_a_text_without_words_is_one_empty_line() -> None:
    assert wrap_text("", 9, 60) == [""]


def test_a_width_that_fits_no_letter_still_ends() -> None:
    assert wrap_text("VAT", 9, 1) == ["V", "A", "T"]
