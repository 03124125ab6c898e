"""Only numbers as DICOM writes them are numbers."""

from __future__ import annotations

import pytest

from mimir_engine.headers.number_text import decimal, first_integer, integer


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.232143", 2.232143),
        ("-0", 0.0),
        ("+1.", 1.0),
        (".5", 0.5),
        ("  12  ", 12.0),
        ("1e3", 1000.0),
        ("-1.5E-02", -0.015),
        (3, 3.0),
    ],
)
def test_a_decimal_string_is_a_number(text: object, value: float) -> None:
    assert decimal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "nan", "inf", "-Infinity", "1e999"),
        *("1_0", "0_4.5", "2,5", "1 5", "1.2.3", "0x10", "1e", "e5", ".", "--1", "1\\2"),
        *("\u0661\u0662", "\u00b2", "1\n", "\t1", "1\0"),
    ],
)
def test_anything_else_is_no_decimal(text: str) -> None:
    assert decimal(text) is None


@pytest.mark.parametrize(("text", "value"), [("0", 0), (" 17 ", 17), ("-3", -3), ("+3", 3), (5, 5)])
def test_an_integer_string_is_an_integer(text: object, value: int) -> None:
    assert integer(text) == value
    assert first_integer({"InstanceNumber": str(text)}, "InstanceNumber") == value


@pytest.mark.parametrize(
    "text", ["", "1_0", "1.0", "1e3", "9" * 13, "\u0663", "1\\2", "1\n", "0x1", "- 1"]
)
def test_anything_else_is_no_integer(text: str) -> None:
    assert integer(text) is None


def test_a_missing_attribute_is_no_integer() -> None:
    assert first_integer({}, "InstanceNumber") is None
