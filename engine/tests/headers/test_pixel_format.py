"""Unused bits, sign and padding of stored values follow the header."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from changes import water
from dicom_builder import BIG_ENDIAN, EXPLICIT, IMPLICIT, File, Scan, encoded
from station_builder import code, slice_of

from mimir_engine.headers.pixel_format import PixelFormat
from mimir_engine.study.pixels import Signal, load_slices

ROWS, COLUMNS = 48, 40


def signal_of(stored: np.ndarray, syntax: str = EXPLICIT, **attributes: Any) -> Signal:
    """Return the signal of an image with these pixels, flattened."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    pixels = np.resize(stored, (ROWS, COLUMNS)).astype(f"{order}u{stored.itemsize}")
    dataset = water(BitsAllocated=8 * stored.itemsize, **attributes)
    dataset.PixelData = pixels.tobytes()
    signal = load_slices([slice_of(dataset, syntax)])
    return replace(signal, array=signal.array.ravel()[: stored.size])


SYNTAXES = pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])


@SYNTAXES
@pytest.mark.parametrize("overlay", [0x1000, 0x8000, 0xF000])
def test_an_overlay_in_unused_bits_is_no_signal(syntax: str, overlay: int) -> None:
    values = np.array([0, 1, 500, 4095], np.uint16)
    drawn = signal_of(values | np.uint16(overlay), syntax, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(drawn.array, values)
    assert drawn.uses_other_bits
    plain = signal_of(values, syntax, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(plain.array, values)
    assert not plain.uses_other_bits


@SYNTAXES
def test_stored_values_may_lie_in_higher_bits(syntax: str) -> None:
    values = np.array([0, 1, 500, 4095], np.uint16)
    signal = signal_of(values << np.uint16(4) | np.uint16(9), syntax, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(signal.array, values)
    assert signal.uses_other_bits


@SYNTAXES
@pytest.mark.parametrize("extends_sign", [True, False])
def test_signed_values_of_few_bits_keep_their_sign(syntax: str, extends_sign: bool) -> None:
    """Some scanners leave the upper bits of a negative value zero: -1 is 0x0FFF."""
    values = np.array([0, 1, 2047, -1, -100], np.int16)
    raw = values.view(np.uint16)
    raw = raw if extends_sign else raw & np.uint16(0x0FFF)
    signal = signal_of(raw, syntax, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_array_equal(signal.array, [0, 1, 2047, 0, 0])
    assert signal.has_negative
    assert not signal.uses_other_bits


@SYNTAXES
@pytest.mark.parametrize("stored", [20, 32])
def test_images_of_32_bits_are_read(syntax: str, stored: int) -> None:
    values = np.array([0, 1, 70_000, 2**20 - 1], np.uint32)
    signal = signal_of(values, syntax, BitsStored=stored, HighBit=stored - 1)
    np.testing.assert_array_equal(signal.array, values)


@SYNTAXES
@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"PixelPaddingValue": 200}, [0, 100, 0, 300, 400]),
        ({"PixelPaddingValue": 200, "PixelPaddingRangeLimit": 300}, [0, 100, 0, 0, 400]),
        ({"PixelPaddingValue": 300, "PixelPaddingRangeLimit": 200}, [0, 100, 0, 0, 400]),
        ({"PixelPaddingRangeLimit": 300}, [0, 100, 200, 300, 400]),
    ],
)
def test_padding_is_no_signal(syntax: str, attributes: dict[str, int], expected: list[int]) -> None:
    signal = signal_of(np.array([0, 100, 200, 300, 400], np.uint16), syntax, **attributes)
    np.testing.assert_array_equal(signal.array, expected)


@SYNTAXES
def test_padding_is_removed_before_the_scale(syntax: str) -> None:
    signal = signal_of(
        np.array([1000, 100, 200], np.uint16),
        syntax,
        PixelPaddingValue=1000,
        RescaleSlope="2",
        RescaleIntercept="10",
    )
    np.testing.assert_array_equal(signal.array, [0, 210, 410])


@pytest.mark.parametrize(("vr", "value"), [("SS", -2000), ("US", 63_536)])
@pytest.mark.parametrize("stored", [12, 16])
def test_the_sign_of_padding_follows_that_of_the_pixels(vr: str, value: int, stored: int) -> None:
    """Negative padding is encoded as unsigned by some."""
    dataset = water(PixelRepresentation=1, BitsStored=stored, HighBit=stored - 1)
    dataset.add_new(0x00280120, vr, value)
    pixels = np.full((ROWS, COLUMNS), 500, np.int16)
    pixels[0] = -2000
    dataset.PixelData = pixels.tobytes()
    signal = load_slices([slice_of(dataset)])
    np.testing.assert_array_equal(signal.array[0], np.maximum(pixels, 0))
    assert not signal.has_negative


@SYNTAXES
@pytest.mark.parametrize("stored", [20, 32])
def test_negative_padding_of_images_of_32_bits(syntax: str, stored: int) -> None:
    """The attribute has 16 bits whatever the pixels have."""
    values = np.array([-5, 0, 70_000], np.int32)
    padded = {"PixelRepresentation": 1, "PixelPaddingValue": -5}
    raw = values.view(np.uint32)
    signal = signal_of(raw, syntax, BitsStored=stored, HighBit=stored - 1, **padded)
    np.testing.assert_array_equal(signal.array, [0, 0, 70_000])
    assert not signal.has_negative


@SYNTAXES
def test_padding_counts_whether_or_not_the_header_tells_the_sign_of_pixels(syntax: str) -> None:
    dataset = water(PixelRepresentation=None)
    dataset.add_new(0x00280120, "US", 200)
    order = ">" if syntax == BIG_ENDIAN else "<"
    dataset.PixelData = np.full((ROWS, COLUMNS), 200, f"{order}u2").tobytes()
    assert not load_slices([slice_of(dataset, syntax)]).array.any()


def test_padding_of_unknown_type_is_refused_not_ignored() -> None:
    dataset = water()
    dataset.add_new(0x00280120, "LO", "many")
    assert code(File("a.dcm", encoded(dataset))) == "PIXELS_UNSUPPORTED"


def test_empty_padding_means_none() -> None:
    dataset = water()
    dataset.add_new(0x00280120, "US", None)
    (signal,) = load_slices([slice_of(dataset)]).array
    np.testing.assert_array_equal(signal, Scan().pixels("W", 0))


@SYNTAXES
@pytest.mark.parametrize(
    "attributes",
    [
        {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7},
        {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11},
        {"BitsAllocated": 64, "BitsStored": 64, "HighBit": 63},
        {"BitsStored": 8, "HighBit": 7},
        {"BitsStored": 17, "HighBit": 16},
        {"BitsStored": 12, "HighBit": 10},
        {"BitsStored": 12, "HighBit": 16},
        {"BitsStored": 0, "HighBit": 0},
        {"PixelRepresentation": 2},
    ],
    ids=str,
)
def test_other_forms_of_pixels_are_refused(syntax: str, attributes: dict[str, int]) -> None:
    assert code(File("a.dcm", encoded(water(**attributes), syntax))) == "PIXELS_UNSUPPORTED"


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("stored", [9, 12, 15])
def test_values_that_use_no_other_bits_are_said_to(stored: int, is_signed: bool) -> None:
    form = PixelFormat(16, stored, stored - 1, is_signed)
    raw = np.arange(1 << stored, dtype=np.uint16)
    values, uses_other_bits = form.stored_values(raw)
    assert not uses_other_bits
    span = (-(1 << stored - 1), (1 << stored - 1) - 1) if is_signed else (0, (1 << stored) - 1)
    assert (values.min(), values.max()) == span
