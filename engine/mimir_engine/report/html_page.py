"""Write a report as one HTML page that needs nothing else: no script, no other file.

All texts are escaped. The page's own policy allows its style and images within it, and nothing
else, so that even a text that was not escaped could not load or run anything.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from hashlib import sha256
from html import escape
from pathlib import Path

import numpy as np

from mimir_engine.errors import printable
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.png import png_bytes
from mimir_engine.report.blocks import (
    Block,
    Chart,
    Heading,
    Paragraph,
    Picture,
    Pictures,
    Report,
    Table,
)
from mimir_engine.report.drawing import svg
from mimir_engine.report.interval_chart import interval_charts
from mimir_engine.report.palette import DARK, LIGHT
from mimir_engine.report.study_report import RESEARCH_ONLY

#: Size of a chart, in pixels of CSS: an A4 page between its margins.
CHART_WIDTH, CHART_HEIGHT = 700.0, 900.0
CHART_TITLE = "Estimates with their intervals. The table below has the same numbers."
#: Columns of a grid that places the texts below a picture's parts.
GRID = 20
_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1b2530; --quiet: #5f6b76;
  --line: #d3dae1; --warning: #b3261e; --band: #f3f6f9; }
body { background: var(--page); color: var(--text); margin: 2em auto; max-width: 720px;
  padding: 0 1em; font: 15px/1.45 Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; margin: 0 0 0.3em; }
h2 { font-size: 1.15em; margin: 1.6em 0 0.5em; border-bottom: 1px solid var(--line);
  break-after: avoid; }
p { margin: 0.4em 0; }
.quiet { color: var(--quiet); font-size: 0.87em; }
.warning { border-left: 4px solid var(--warning); padding: 0.1em 0 0.1em 0.7em; }
.pictures { display: flex; gap: 10px; margin: 0.6em 0; break-inside: avoid; }
figure { margin: 0; flex: 1 1 0; min-width: 0; }
figure.alone { max-width: 48%; }
figure b { display: block; }
figure img { display: block; width: 100%; background: #000000; }
.shares { display: grid; grid-template-columns: repeat(20, 1fr); text-align: center; }
.ends { display: flex; justify-content: space-between; }
figure img.bar { height: 10px; margin-top: 4px; image-rendering: auto; }
svg { display: block; max-width: 100%; height: auto; margin: 0.6em 0; break-inside: avoid; }
table { border-collapse: collapse; width: 100%; font-size: 0.84em; margin: 0.6em 0;
  table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: 3px 6px 3px 0;
  border-bottom: 1px solid var(--line); }
tr { break-inside: avoid; }
th[scope=rowgroup] { background: var(--band); padding: 4px 6px; break-after: avoid; }
footer { margin-top: 2em; color: var(--quiet); font-size: 0.87em; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #1e2227; --text: #e8ecf0; --quiet: #a3adb7; --line: #4a525b;
    --warning: #ff8a80; --band: #2a3038; }
DARK_CHARTS
}
@media print {
  :root { color-scheme: light; }
  body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; }
  thead { display: table-header-group; }
}
@page { size: A4; margin: 16mm 15mm; }
"""


def write_html(path: Path, report: Report) -> None:
    """Write a report as an HTML file.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    text = html_page(report)
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))


def html_page(report: Report) -> str:
    """Return a report as the text of an HTML page; equal reports give equal pages."""
    style = _style(report)
    allowed = b64encode(sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'"
    title = _text(report.title)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}: body measurements</title>",
            f"<style>{style}</style></head><body>",
            f"<h1>{title}</h1>",
            *(line for block in report.blocks for line in _block(block)),
            f"<footer>{RESEARCH_ONLY} Made with MIMIR.</footer>",
            "</body></html>",
            "",
        ]
    )


def _style(report: Report) -> str:
    """Return the page's style: charts get the colours of a dark page there, tables their widths."""
    dark = [
        f'  svg [fill="{light}"] {{ fill: {dark}; }} svg [stroke="{light}"] {{ stroke: {dark}; }}'
        for light, dark in zip(astuple(LIGHT), astuple(DARK))
    ]
    widths = {block.widths for block in report.blocks if isinstance(block, Table)}
    columns = (
        f".{_table_class(shares)} col:nth-child({n}) {{ width: {100 * share:g}%; }}"
        for shares in sorted(widths)
        for n, share in enumerate(shares, start=1)
    )
    spans = (f".part{n} {{ grid-column: span {n}; }}" for n in range(1, GRID))
    shown = (block.pictures for block in report.blocks if isinstance(block, Pictures))
    shapes = {_aspect_class(picture): picture.aspect for pictures in shown for picture in pictures}
    aspects = (f"img.{name} {{ aspect-ratio: {1 / shape:.4f}; }}" for name, shape in shapes.items())
    head = _STYLE.replace("DARK_CHARTS", "\n".join(dark))
    return "\n".join([head, *columns, *spans, *aspects])


def _table_class(widths: tuple[float, ...]) -> str:
    return "t" + "_".join(f"{100 * share:.0f}" for share in widths)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"<h2>{_text(block.text)}</h2>"
    elif isinstance(block, Paragraph):
        yield f'<p class="{block.kind}">{_text(block.text)}</p>'
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Pictures):
        alone = " class='alone'" if len(block.pictures) == 1 else ""
        yield '<div class="pictures">'
        for picture in block.pictures:
            yield from _picture(picture, alone)
        yield "</div>"
    else:
        yield from _chart(block)


def _chart(chart: Chart) -> Iterator[str]:
    for part in interval_charts(chart.measurements, CHART_WIDTH, CHART_HEIGHT, scale=1.2):
        yield svg(part.drawing, CHART_TITLE)


def _table(table: Table) -> Iterator[str]:
    yield f'<table class="{_table_class(table.widths)}"><colgroup>'
    yield f"{'<col>' * len(table.columns)}</colgroup>"
    yield f"<thead><tr>{_cells(table.columns, '<th scope=col>', '</th>')}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        if len(row) == 1:
            head = f'<th scope=rowgroup colspan="{len(table.columns)}">'
            yield f"<tr>{_cells(row, head, '</th>')}</tr>"
        else:
            yield f"<tr>{_cells(row, '<td>', '</td>')}</tr>"
    yield "</tbody></table>"


def _cells(texts: Iterable[str], begin: str, end: str) -> str:
    return "".join(f"{begin}{_text(text)}{end}" for text in texts)


def _picture(picture: Picture, alone: str) -> Iterator[str]:
    title, shape = _text(picture.title), _aspect_class(picture)
    yield f"<figure{alone}><b>{title}</b>"
    yield f'<img class="{shape}" alt="{title}" src="{_png(picture.image)}">'
    left = round(GRID * picture.left_share)
    parts = zip(picture.parts, (left, GRID - left))
    spans = (f'<span class="part{share}">{_text(part)}</span>' for part, share in parts)
    yield f'<div class="shares quiet">{"".join(spans)}</div>'
    if picture.bar is not None:
        low, high = picture.legend
        yield f'<img class="bar" alt="colours" src="{_png(picture.bar)}">'
        yield f'<div class="ends quiet"><span>{_text(low)}</span><span>{_text(high)}</span></div>'
    yield "</figure>"


def _aspect_class(picture: Picture) -> str:
    return f"a{round(100 * picture.aspect)}"


def _png(image: np.ndarray) -> str:
    return f"data:image/png;base64,{b64encode(png_bytes(image)).decode('ascii')}"


def _text(text: str) -> str:
    return escape(printable(text))
