from __future__ import annotations

import pytest

pytest.importorskip("reportlab")

from mimir_engine.report.pdf_fonts import BOLD, REGULAR, runs, width_of


def test_western_letters_are_helvetica() -> None:
    assert runs("Müller ± 1.96 %") == [(REGULAR, "Müller ± 1.96 %")]
    assert runs("VAT", bold=True) == [(BOLD, "VAT")]


def test_letters_that_run_leftwards_are_written_as_numbers() -> None:
    assert runs("مع") == [(REGULAR, "[U+0645][U+0639]")]


def test_letters_that_no_font_has_are_written_as_numbers() -> None:
    assert runs("a\U0001f9b4") == [(REGULAR, "a[U+1F9B4]")]


def test_other_letters_get_a_font_that_has_them() -> None:
    pytest.importorskip("matplotlib")
    (western, name), (other, text) = runs("Jane Мария")
    assert (western, name, text) == (REGULAR, "Jane ", "Мария")
    assert other != REGULAR


def test_control_characters_are_blanks() -> None:
    assert runs("a\x00\u202eb") == [(REGULAR, "a  b")]


def test_a_text_is_as_wide_as_its_letters() -> None:
    assert width_of("Мария", 9) > 0
    assert width_of("VAT", 18) == pytest.approx(2 * width_of("VAT", 9))
    assert width_of("", 9) == 0
