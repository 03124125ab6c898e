from __future__ import annotations

import re
import zlib
from base64 import a85decode

import numpy as np
import pytest

pytest.importorskip("reportlab")

from study_to_report import hostile_study, measured_study, projection

from mimir_engine.report.pdf_file import pdf_bytes
from mimir_engine.report.study_report import study_report

STREAM = re.compile(rb"/Filter \[ /ASCII85Decode /FlateDecode \].*?stream\r?\n(.*?)endstream", re.S)


def text_of(content: bytes) -> str:
    """Return the texts that are written in Western fonts, line by line."""
    pages = (zlib.decompress(a85decode(s.strip(), adobe=False)) for s in streams(content))
    found = (re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", page) for page in pages)
    texts = (re.sub(rb"\\([()\\])", rb"\1", text) for page in found for text in page)
    return "\n".join(text.decode("cp1252", "replace") for text in texts)


def streams(content: bytes) -> list[bytes]:
    return [stream.strip().removesuffix(b"~>") for stream in STREAM.findall(content)]


def pages_of(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def test_the_file_has_the_texts_of_the_report() -> None:
    content = pdf_bytes(study_report(measured_study(), projection(), title="Doe^Jane"))
    assert content.startswith(b"%PDF-")
    text = text_of(content)
    for part in ("Doe^Jane", "VAT", "DXA android fat", "Body composition"):
        assert part in text


def test_each_page_has_its_number_and_its_purpose() -> None:
    content = pdf_bytes(study_report(measured_study()))
    text, pages = text_of(content), pages_of(content)
    assert pages > 3
    assert [f"Page {n}" in text for n in range(1, pages + 2)] == [True] * pages + [False]
    assert text.count("Research use only, not for diagnosis.") > pages


def test_long_tables_have_their_headings_on_each_page() -> None:
    assert text_of(pdf_bytes(study_report(measured_study()))).count("percentile") > 1


def test_hostile_texts_stay_texts() -> None:
    hostile = '<b>bold</b><img src="x"/>&amp;<para> \\(a) \x00\u202e <font name="nowhere">'
    text = text_of(pdf_bytes(study_report(hostile_study(hostile), title=hostile)))
    assert "<b>bold</b>" in text.replace("\n", "")


def test_a_word_that_fits_no_page_ends() -> None:
    long = "W" * 3000
    assert pdf_bytes(study_report(hostile_study(long), title=long))


def test_equal_studies_have_equal_files() -> None:
    picture = np.zeros((40, 20, 3), np.uint8)
    first, second = (
        pdf_bytes(study_report(measured_study(), projection(), picture)) for _ in range(2)
    )
    assert first == second
