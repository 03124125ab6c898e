from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest
from study_to_report import hostile_study, measured_study, projection

from mimir_engine.report.html_page import html_page
from mimir_engine.report.palette import DARK, LIGHT
from mimir_engine.report.study_report import study_report

PICTURE = np.zeros((40, 20, 3), np.uint8)
#: Elements without an end.
VOID = {"meta", "img", "col", "line", "rect", "circle"}
HOSTILE = (
    "</style></title><script>alert(1)</script><img src=http://evil/x onerror=a> \"'& \u202e\x00"
)


class Page(HTMLParser):
    """Elements and text of a page, which must be nested well."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(html_page(study_report(measured_study(), projection(), PICTURE, "Doe^Jane")))


def test_the_page_is_one_document_with_its_texts(page: Page) -> None:
    said = " ".join(page.text)
    for text in ("Doe^Jane", "VAT", "DXA android fat", "Not for diagnosis".lower(), "coronal"):
        assert text in said
    assert [tag for tag, _ in page.elements].count("h1") == 1


def test_nothing_is_loaded_or_run(page: Page) -> None:
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "figure"}
    allowed |= {"b", "img", "span", "svg", "rect", "line", "circle", "text", "table", "colgroup"}
    allowed |= {"col", "thead", "tbody", "tr", "th", "td", "footer"}
    assert {tag for tag, _ in page.elements} <= allowed
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        source = attributes.get("src", "data:image/png;base64,")
        assert source.startswith("data:image/png;base64,"), tag
        assert "href" not in attributes


def test_the_policy_allows_this_style_and_no_other() -> None:
    text = html_page(study_report(measured_study()))
    style = text.split("<style>")[1].split("</style>")[0]
    digest = b64encode(sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    head = Page(text).elements[:6]
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": policy}) in head
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_texts_stay_texts() -> None:
    study = hostile_study(HOSTILE)
    page = Page(html_page(study_report(study, projection(), PICTURE, HOSTILE)))
    tags = [tag for tag, _ in page.elements]
    assert "script" not in tags
    assert tags.count("style") == tags.count("title") - len([t for t in tags if t == "svg"]) == 1
    assert any("<script>alert(1)</script>" in text for text in page.text)
    assert not any("\u202e" in text or "\x00" in text for text in page.text)
    assert all("onerror" not in attributes for _, attributes in page.elements)


def test_pictures_are_png(page: Page) -> None:
    sources = [attributes["src"] for tag, attributes in page.elements if tag == "img"]
    assert len(sources) == 5  # findings, three channels, the bar of colours
    for source in sources:
        assert b64decode(source.split(",")[1], validate=True).startswith(b"\x89PNG")


def test_a_dark_page_has_dark_charts() -> None:
    text = html_page(study_report(measured_study()))
    dark = text.split("prefers-color-scheme: dark")[1].split("@media print")[0]
    assert f'svg [fill="{LIGHT.estimate}"] {{ fill: {DARK.estimate}; }}' in dark


def test_equal_studies_have_equal_pages() -> None:
    first, second = (html_page(study_report(measured_study(), projection())) for _ in range(2))
    assert first == second


def test_many_measurements_are_drawn_in_charts_that_fit_a_page(page: Page) -> None:
    heights = [float(attributes["height"]) for tag, attributes in page.elements if tag == "svg"]
    assert len(heights) > 1
    assert max(heights) <= 900
