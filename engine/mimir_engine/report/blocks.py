"""The parts of a report, in reading order; HTML and PDF show the same parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import numpy as np

from mimir_engine.measuring.measurement import Measurement

#: Kinds of paragraphs.
PLAIN, QUIET, WARNING = "plain", "quiet", "warning"


@dataclass(frozen=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Sentences.

    Attributes:
        text: Without any markup.
        kind: ``PLAIN``, ``QUIET`` or ``WARNING``.
    """

    text: str
    kind: str = PLAIN


@dataclass(frozen=True)
class Table:
    """Rows of text; a row of one cell is the heading of those below it.

    Attributes:
        columns: Headings.
        rows: As many cells as columns, or one.
        widths: Shares of the width, with the sum 1.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """An image with its title and what its parts show.

    Attributes:
        image: uint8 ``(height, width, 3)``, the top row first.
        title: Above the image.
        parts: Below its left and its right part.
        left_share: Share of the width that the left part has.
        aspect: Height over width as it is shown.
        legend: Texts at the ends of a bar of colours; empty for none.
        bar: uint8 ``(1, width, 3)``, the bar; None for none.
    """

    image: np.ndarray
    title: str
    parts: tuple[str, str] = ("", "")
    left_share: float = 0.5
    aspect: float = 1.0
    legend: tuple[str, ...] = ()
    bar: Union[np.ndarray, None] = None


@dataclass(frozen=True)
class Pictures:
    """Images side by side."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Chart:
    """Estimates with their intervals."""

    measurements: tuple[Measurement, ...]


Block = Union[Heading, Paragraph, Table, Pictures, Chart]


@dataclass(frozen=True)
class Report:
    """A report on one study.

    Attributes:
        title: The study.
        blocks: What follows below the title.
    """

    title: str
    blocks: tuple[Block, ...]
