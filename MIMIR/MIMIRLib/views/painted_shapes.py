"""Paint the engine's plain shapes into a QGraphicsScene: sharp at every size of the screen."""

from __future__ import annotations

from typing import Any

import qt

from MIMIRLib.plain_text import plain


def paint(scene: Any, drawing: Any, font: Any) -> None:
    """Add the shapes of an engine's ``Drawing``, one pixel per point.

    Args:
        scene: The ``QGraphicsScene``.
        drawing: The drawing.
        font: The font of the texts; the drawing gives their sizes.
    """
    from mimir_engine.report.drawing import Box, Dot, Line

    no_pen = qt.QPen(qt.Qt.NoPen)
    for shape in drawing.shapes:
        if isinstance(shape, Box):
            brush = qt.QBrush(qt.QColor(shape.colour))
            scene.addRect(shape.x, shape.y, shape.width, shape.height, no_pen, brush)
        elif isinstance(shape, Dot):
            left, top, size = shape.x - shape.radius, shape.y - shape.radius, 2 * shape.radius
            brush = qt.QBrush(qt.QColor(shape.colour))
            scene.addEllipse(left, top, size, size, no_pen, brush)
        elif isinstance(shape, Line):
            scene.addLine(shape.x1, shape.y1, shape.x2, shape.y2, _pen(shape))
        else:
            _add_text(scene, shape, font)


def _pen(line: Any) -> Any:
    pen = qt.QPen(qt.QColor(line.colour))
    pen.setWidthF(line.width)
    pen.setCapStyle(qt.Qt.FlatCap)
    pen.setStyle(qt.Qt.DashLine if line.dashed else qt.Qt.SolidLine)
    return pen


def _add_text(scene: Any, text: Any, font: Any) -> None:
    """Add a line of text; one that is wider here than the engine reckoned is made narrower."""
    from mimir_engine.report.drawing import text_width

    own = qt.QFont(font)
    own.setPixelSize(max(1, round(text.size)))
    own.setBold(text.bold)
    item = scene.addSimpleText(plain(text.text), own)
    item.setBrush(qt.QBrush(qt.QColor(text.colour)))
    width, room = item.boundingRect().width(), text_width(text.text, text.size, text.bold)
    if width > room:
        own.setStretch(max(1, int(100 * room / width)))
        item.setFont(own)
        width = item.boundingRect().width()
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    item.setPos(text.x - share * width, text.y - qt.QFontMetricsF(own).ascent())
