"""Draw charts as plain shapes, which HTML, PDF and Slicer show alike.

Coordinates are in points, from the upper left corner downwards. Colours are ``#rrggbb``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape
from typing import Union

from mimir_engine.errors import printable

#: Average width of a character in sizes of the font, generous for Helvetica and its relatives.
_WIDTHS = {
    **dict.fromkeys("ijl.,:;'|! ", 0.32),
    **dict.fromkeys("frt()[]/-I", 0.42),
    **dict.fromkeys("mwMW%@", 1.0),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ&", 0.78),
}
#: Width of any other character, and of one that East Asian fonts show wide.
_WIDTH, _WIDE = 0.63, 1.1
#: Bold letters are wider.
_BOLD = 1.08


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    width: float
    dashed: bool = False


@dataclass(frozen=True)
class Box:
    """A filled rectangle without a frame; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True)
class Text:
    """One line of text; y is its baseline.

    Attributes:
        anchor: Which part of the text is at x: ``start``, ``middle`` or ``end``.
    """

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: str = "start"
    bold: bool = False


Shape = Union[Line, Box, Dot, Text]


@dataclass(frozen=True)
class Drawing:
    """Shapes from back to front, on a page of this size in points."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Estimate the width of a text in points; hardly any font needs more."""
    widths = (
        _WIDE if unicodedata.east_asian_width(c) in "WF" else _WIDTHS.get(c, _WIDTH) for c in text
    )
    return sum(widths) * size * (_BOLD if bold else 1)


def wrap_text(text: str, size: float, width: float, bold: bool = False) -> list[str]:
    """Break a text into lines that fit a width; a longer word is broken, nothing is left out."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if text_width(joined, size, bold) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if lines[-1] and text_width(lines[-1] + character, size, bold) > width:
                lines.append("")
            lines[-1] += character
    return lines


def svg(drawing: Drawing, title: str = "") -> str:
    """Write a drawing as SVG, to stand in a page or alone.

    Args:
        drawing: Equal drawings give equal text.
        title: What it shows, for people who cannot see it.
    """
    size = f'width="{_number(drawing.width)}" height="{_number(drawing.height)}"'
    box = f'viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}"'
    font = 'font-family="Helvetica, Arial, sans-serif"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {box} {font}>'
    return "\n".join(
        [head, f"<title>{_text(title)}</title>", *map(_shape, drawing.shapes), "</svg>"]
    )


def _shape(shape: Shape) -> str:
    n = _number
    if isinstance(shape, Line):
        ends = f'x1="{n(shape.x1)}" y1="{n(shape.y1)}" x2="{n(shape.x2)}" y2="{n(shape.y2)}"'
        dashes = ' stroke-dasharray="4 3"' if shape.dashed else ""
        return f'<line {ends} stroke="{shape.colour}" stroke-width="{n(shape.width)}"{dashes}/>'
    if isinstance(shape, Box):
        size = f'width="{n(shape.width)}" height="{n(shape.height)}"'
        return f'<rect x="{n(shape.x)}" y="{n(shape.y)}" {size} fill="{shape.colour}"/>'
    if isinstance(shape, Dot):
        circle = f'cx="{n(shape.x)}" cy="{n(shape.y)}" r="{n(shape.radius)}"'
        return f'<circle {circle} fill="{shape.colour}"/>'
    place = f'x="{n(shape.x)}" y="{n(shape.y)}" font-size="{n(shape.size)}" fill="{shape.colour}"'
    style = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    style += ' font-weight="bold"' if shape.bold else ""
    return f"<text {place}{style}>{_text(shape.text)}</text>"


def _text(text: str) -> str:
    return escape(printable(text))


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
