"""Write a report as a PDF file of A4 pages; needs the extra ``report``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from typing import Any

from reportlab.lib import colors, pagesizes
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph as Lines
from reportlab.platypus import SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from mimir_engine.files.atomic import atomic_file
from mimir_engine.report.blocks import (
    PLAIN,
    QUIET,
    WARNING,
    Block,
    Chart,
    Heading,
    Paragraph,
    Pictures,
    Report,
    Table,
)
from mimir_engine.report.drawing import Text, wrap_text
from mimir_engine.report.interval_chart import interval_charts
from mimir_engine.report.palette import LIGHT
from mimir_engine.report.pdf_fonts import BOLD, REGULAR, runs
from mimir_engine.report.pdf_shapes import GAP, ShownDrawing, ShownPictures, draw_text
from mimir_engine.report.study_report import RESEARCH_ONLY

#: Margins of a page, in points.
SIDE, TOP, BOTTOM = 42.0, 54.0, 48.0
#: Width of the text; reportlab leaves 6 points to each side.
WIDTH = pagesizes.A4[0] - 2 * SIDE - 12
#: Largest height of a chart: a page without its margins and a heading.
CHART_HEIGHT = pagesizes.A4[1] - TOP - BOTTOM - 60
#: Longest text of a cell, in characters: a row must fit a page.
MAX_CELL = 400
#: Size of the letters in headers and footers.
SMALL = 8.0

_BODY = ParagraphStyle(
    "body", fontName=REGULAR, fontSize=9.5, leading=13, textColor=LIGHT.text, spaceAfter=4
)
_STYLES = {
    "title": ParagraphStyle("title", _BODY, fontName=BOLD, fontSize=16, leading=20, spaceAfter=6),
    "heading": ParagraphStyle(
        "heading", _BODY, fontName=BOLD, fontSize=12, leading=16, spaceBefore=12, keepWithNext=1
    ),
    PLAIN: _BODY,
    QUIET: ParagraphStyle(QUIET, _BODY, fontSize=8.5, leading=11, textColor=LIGHT.quiet),
    WARNING: ParagraphStyle(WARNING, _BODY, textColor=LIGHT.warning),
    "cell": ParagraphStyle("cell", _BODY, fontSize=8, leading=10, spaceAfter=0),
    "head": ParagraphStyle("head", _BODY, fontName=BOLD, fontSize=8, leading=10, spaceAfter=0),
}


def write_pdf(path: Path, report: Report) -> None:
    """Write a report as a PDF file.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    content = pdf_bytes(report)
    with atomic_file(path) as file:
        file.write(content)


def pdf_bytes(report: Report) -> bytes:
    """Return a report as the content of a PDF file; equal reports give equal files."""
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=pagesizes.A4,
        leftMargin=SIDE,
        rightMargin=SIDE,
        topMargin=TOP,
        bottomMargin=BOTTOM,
        title=report.title,
        author="MIMIR",
        lang="en",
        invariant=1,
    )
    story = [_lines(report.title, "title")]
    story += [part for block in report.blocks for part in _parts(block)]

    def frame(canvas: Any, page: Any) -> None:
        _write_frame(canvas, page.page, report.title)

    document.build(story, onFirstPage=frame, onLaterPages=frame)
    return file.getvalue()


def _write_frame(canvas: Any, page: int, title: str) -> None:
    """Write the study above the text of a page, purpose and page number below it."""
    width, height = pagesizes.A4
    study = wrap_text(title, SMALL, WIDTH)[0] if page > 1 else ""
    left, right = SIDE + 6, width - SIDE - 6
    for text in (
        Text(left, TOP - 20, study, SMALL, LIGHT.quiet),
        Text(left, height - 28, RESEARCH_ONLY, SMALL, LIGHT.quiet),
        Text(right, height - 28, f"Page {page}", SMALL, LIGHT.quiet, "end"),
    ):
        draw_text(canvas, text, height)


def _parts(block: Block) -> Iterator[Any]:
    if isinstance(block, Heading):
        yield _lines(block.text, "heading")
    elif isinstance(block, Paragraph):
        yield _lines(block.text, block.kind)
    elif isinstance(block, Table):
        yield _grid(block)
        yield Spacer(0, GAP)
    elif isinstance(block, Pictures):
        yield ShownPictures(block.pictures, WIDTH)
        yield Spacer(0, GAP)
    else:
        yield from _charts(block)


def _charts(chart: Chart) -> Iterator[ShownDrawing]:
    for part in interval_charts(chart.measurements, WIDTH, CHART_HEIGHT, scale=0.9):
        yield ShownDrawing(part.drawing, CHART_HEIGHT)


def _grid(table: Table) -> Grid:
    """Return a table whose headings are on every page."""
    count = len(table.columns)
    line, band = colors.HexColor(LIGHT.grid), colors.HexColor(LIGHT.band)
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, line),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    rows = [_cells(table.columns, "head")]
    for number, row in enumerate(table.rows, start=1):
        is_group = len(row) == 1
        rows.append(_cells((*row, *[""] * (count - len(row))), "head" if is_group else "cell"))
        if is_group:
            style.append(("SPAN", (0, number), (-1, number)))
            style.append(("BACKGROUND", (0, number), (-1, number), band))
            style.append(("NOSPLIT", (0, number), (-1, number + 1)))
    widths = [share * WIDTH for share in table.widths]
    return Grid(rows, colWidths=widths, repeatRows=1, style=style)


def _cells(texts: Iterable[str], style: str) -> Sequence[Lines]:
    return [_lines(shorten(text, MAX_CELL, placeholder=" ..."), style) for text in texts]


def _lines(text: str, style: str) -> Lines:
    """Return text in lines; it is no markup."""
    chosen = _STYLES[style]
    is_bold = chosen.fontName == BOLD
    pieces = (
        escape(part) if font in (REGULAR, BOLD) else f'<font name="{font}">{escape(part)}</font>'
        for font, part in runs(text, is_bold)
    )
    return Lines("".join(pieces), chosen)
