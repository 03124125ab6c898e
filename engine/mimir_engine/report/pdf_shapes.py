"""Paint drawings and pictures on the pages of a PDF file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from mimir_engine.files.png import png_bytes
from mimir_engine.report.blocks import Picture
from mimir_engine.report.drawing import Box, Dot, Drawing, Line, Shape, Text
from mimir_engine.report.palette import LIGHT
from mimir_engine.report.pdf_fonts import runs, width_of

#: Sizes in points: letters below pictures, the line that they take, a bar of colours, a gap.
SMALL, LINE, BAR, GAP = 8.0, 11.0, 6.0, 8.0
#: Lengths of the dashes of a line and of their gaps.
DASHES = (4, 3)


class ShownDrawing(Flowable):
    """A drawing in the text, on one page.

    Args:
        drawing: The drawing.
        max_height: A higher one is made smaller.
    """

    def __init__(self, drawing: Drawing, max_height: float) -> None:
        super().__init__()
        self._drawing, self._factor = drawing, min(1.0, max_height / drawing.height)
        self.width, self.height = (self._factor * n for n in (drawing.width, drawing.height))

    def draw(self) -> None:
        """Paint it; the canvas has its origin at the lower left corner."""
        self.canv.scale(self._factor, self._factor)
        for shape in self._drawing.shapes:
            _paint(self.canv, shape, self._drawing.height)


class ShownPictures(Flowable):
    """Pictures side by side, with their titles and legends.

    Args:
        pictures: At least one.
        width: Width of them all in points.
    """

    def __init__(self, pictures: tuple[Picture, ...], width: float) -> None:
        super().__init__()
        self.width, self._pictures = width, pictures
        self._wide = (width + GAP) / max(len(pictures), 2) - GAP
        self._high = max(self._wide * picture.aspect for picture in pictures)
        has_bar = any(picture.bar is not None for picture in pictures)
        self.height = 2 * LINE + self._high + (BAR + LINE + GAP / 2 if has_bar else 0)

    def draw(self) -> None:
        """Paint them."""
        for number, picture in enumerate(self._pictures):
            self._draw(picture, number * (self._wide + GAP))

    def _draw(self, picture: Picture, left: float) -> None:
        text, quiet, width = LIGHT.text, LIGHT.quiet, self._wide
        title = Text(left, LINE - 3, picture.title, SMALL, text, bold=True)
        high = width * picture.aspect
        below = LINE + high + LINE - 3
        share = picture.left_share
        places = (left + width * share / 2, left + width * (1 + share) / 2)
        labels = [
            Text(place, below, part, SMALL, quiet, "middle")
            for place, part in zip(places, picture.parts)
        ]
        self._image(picture.image, left, LINE, high)
        if picture.bar is not None:
            top = below + 3 + GAP / 2
            self._image(picture.bar, left, top, BAR)
            low, most = picture.legend
            baseline = top + BAR + LINE - 3
            labels.append(Text(left, baseline, low, SMALL, quiet))
            labels.append(Text(left + width, baseline, most, SMALL, quiet, "end"))
        for label in (title, *labels):
            _paint(self.canv, label, self.height)

    def _image(self, image: np.ndarray, left: float, top: float, high: float) -> None:
        source = ImageReader(BytesIO(png_bytes(image)))
        self.canv.drawImage(source, left, self.height - top - high, self._wide, high)


def draw_text(canvas: Any, text: Text, height: float) -> None:
    """Write a text on a canvas of this height."""
    canvas.setFillColor(HexColor(text.colour))
    shares = {"start": 0.0, "middle": 0.5, "end": 1.0}
    x = text.x - shares[text.anchor] * width_of(text.text, text.size, text.bold)
    line = canvas.beginText(x, height - text.y)
    for font, part in runs(text.text, text.bold):
        line.setFont(font, text.size)
        line.textOut(part)
    canvas.drawText(line)


def _paint(canvas: Any, shape: Shape, height: float) -> None:
    if isinstance(shape, Text):
        draw_text(canvas, shape, height)
    elif isinstance(shape, Line):
        canvas.setStrokeColor(HexColor(shape.colour))
        canvas.setLineWidth(shape.width)
        canvas.setDash(*(DASHES if shape.dashed else ()))
        canvas.line(shape.x1, height - shape.y1, shape.x2, height - shape.y2)
    elif isinstance(shape, Box):
        canvas.setFillColor(HexColor(shape.colour))
        bottom = height - shape.y - shape.height
        canvas.rect(shape.x, bottom, shape.width, shape.height, stroke=0, fill=1)
    elif isinstance(shape, Dot):
        canvas.setFillColor(HexColor(shape.colour))
        canvas.circle(shape.x, height - shape.y, shape.radius, stroke=0, fill=1)
