"""Stored values of every encoding become signal."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from changes import philips_scale, setting
from compressed_builder import (
    HTJ2K,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    losslessly_compressed,
    needs_imagecodecs,
)
from dicom_builder import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    File,
    Scan,
    compressed,
    encoded,
    enhanced_file,
    set_pixels,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from station_builder import slice_of, slices_of

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import Slice
from mimir_engine.study.pixels import load_slices, room_for

SCAN = Scan(slices=2)
RLE = "1.2.840.10008.1.2.5"


def water(pixels: np.ndarray | None = None, **changes: Any) -> Dataset:
    dataset = SCAN.dataset("W", 0)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    if pixels is not None:
        set_pixels(dataset, pixels)
    return dataset


def array_of(slices: Sequence[Slice]) -> np.ndarray:
    return load_slices(slices).array


def code(content: bytes) -> str:
    with pytest.raises(MimirError) as raised:
        load_slices(slices_of(File("image.dcm", content)))
    return raised.value.code


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED])
def test_pixels_equal_the_stored_values(syntax: str) -> None:
    (signal,) = array_of([slice_of(water(), syntax)])
    np.testing.assert_array_equal(signal, SCAN.pixels("W", 0))
    assert signal.dtype == np.uint16


def test_big_endian_pixels_are_read() -> None:
    dataset = water()
    dataset.PixelData = SCAN.pixels("W", 0).astype(">u2").tobytes()
    (signal,) = array_of([slice_of(dataset, BIG_ENDIAN)])
    np.testing.assert_array_equal(signal, SCAN.pixels("W", 0))


def test_slices_are_returned_in_the_requested_order() -> None:
    slices = slices_of(*SCAN.files(("W",)))
    signal = array_of(slices[::-1])
    np.testing.assert_array_equal(signal[0], SCAN.pixels("W", 1))
    np.testing.assert_array_equal(signal[1], SCAN.pixels("W", 0))


def test_signed_pixels_are_read() -> None:
    signed = SCAN.pixels("W", 0).astype(np.int16)
    signal = load_slices([slice_of(water(signed))])
    np.testing.assert_array_equal(signal.array[0], signed)
    assert not signal.has_negative


def test_noise_below_zero_becomes_zero() -> None:
    signed = SCAN.pixels("W", 0).astype(np.int16) - 3
    signal = load_slices([slice_of(water(signed))])
    np.testing.assert_array_equal(signal.array[0], np.maximum(signed, 0))
    assert signal.has_negative


@pytest.mark.parametrize(
    "changes", [{"RescaleIntercept": "-300"}, {"RescaleIntercept": "-300", "RescaleSlope": "0.9"}]
)
def test_negative_signal_that_is_no_noise_is_refused(changes: dict[str, str]) -> None:
    assert code(encoded(water(**changes))) == "PIXELS_UNSUPPORTED"


def test_slices_of_one_series_may_have_different_forms() -> None:
    """The same signal, stored in 16 and in 32 bits, with and without a sign."""
    kinds = (np.uint16, np.int16, np.int32, np.uint32)
    scan = Scan(slices=len(kinds))

    def change(dataset: Dataset, k: int) -> None:
        set_pixels(dataset, scan.pixels("W", k).astype(kinds[k]) - (kinds[k] is np.int16))

    signal = load_slices(slices_of(*scan.files(("W",), change)))
    expected = np.stack([scan.pixels("W", k) for k in range(len(kinds))]).astype(float)
    expected[1] = np.maximum(expected[1] - 1, 0)
    np.testing.assert_array_equal(signal.array, expected)
    assert signal.has_negative


def test_images_of_8_bits_are_refused() -> None:
    short = (SCAN.pixels("W", 0) // 4).astype(np.uint8)
    assert code(encoded(water(short))) == "PIXELS_UNSUPPORTED"


def test_slope_and_intercept_are_applied() -> None:
    image = slice_of(water(RescaleSlope="0.5", RescaleIntercept="-10"))
    (signal,) = array_of([image])
    assert signal.dtype == np.float32
    expected = SCAN.pixels("W", 0) * np.float32(0.5) - 10
    np.testing.assert_array_equal(signal, np.maximum(expected, 0))


def test_an_explicit_identity_keeps_the_stored_values() -> None:
    image = slice_of(water(RescaleSlope="1.0", RescaleIntercept="0", RescaleType="US"))
    assert array_of([image]).dtype == np.uint16


def test_frames_of_an_enhanced_file_are_read() -> None:
    scan = Scan(slices=3)
    file = enhanced_file(scan, [("W", "WATER"), ("F", "FAT")])
    slices = slices_of(file)
    fat = [s for s in slices if s.contrast.value == "fat"]
    for k, signal in enumerate(array_of(fat)):
        np.testing.assert_array_equal(signal, scan.pixels("F", k))


def test_an_enhanced_file_of_one_frame_is_read() -> None:
    slices = slices_of(enhanced_file(Scan(slices=1), [("F", "FAT")]))
    np.testing.assert_array_equal(array_of(slices)[0], Scan(slices=1).pixels("F", 0))


def test_run_length_coded_pixels_are_read() -> None:
    content = compressed(water(), RLE)
    (signal,) = array_of(slices_of(File("image.dcm", content)))
    np.testing.assert_array_equal(signal, SCAN.pixels("W", 0))


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000])
def test_losslessly_compressed_pixels_are_read(syntax: str) -> None:
    needs_imagecodecs()
    content = losslessly_compressed(water(), syntax)
    (signal,) = array_of(slices_of(File("image.dcm", content)))
    np.testing.assert_array_equal(signal, SCAN.pixels("W", 0))


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000])
def test_compressed_signed_noise_below_zero_becomes_zero(syntax: str) -> None:
    needs_imagecodecs()
    signed = SCAN.pixels("W", 0).astype(np.int16) - 3
    content = losslessly_compressed(water(signed), syntax)
    signal = load_slices(slices_of(File("image.dcm", content)))
    np.testing.assert_array_equal(signal.array[0], np.maximum(signed, 0))
    assert signal.has_negative


@pytest.mark.parametrize("columns", [36, 44])
@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000])
def test_compressed_pixels_of_another_size_than_the_header_says_are_refused(
    syntax: str, columns: int
) -> None:
    needs_imagecodecs()
    content = losslessly_compressed(water(), syntax)
    size = struct.pack("<HH2sH", 0x0028, 0x0011, b"US", 2)
    assert content.count(size) == 1
    content = content.replace(size + b"\x28\0", size + struct.pack("<H", columns))
    assert code(content) == "PIXELS_UNREADABLE"


# ------------------------------------------------------------------ every encoding alike


class Case(NamedTuple):
    """An image with legal attributes, and the signal that follows from them."""

    raw: np.ndarray
    attributes: dict[str, Any]
    padding_vr: str
    private: tuple[int, str] | None
    expected: np.ndarray


@st.composite
def legal_images(draw: st.DrawFn) -> Case:
    """Draw attributes that change a pixel, and compute the signal by plain arithmetic."""
    allocated = draw(st.sampled_from((16, 16, 32)))
    stored = draw(st.integers(9, allocated))
    high_bit = draw(st.sampled_from((stored - 1, stored - 1, allocated - 1)))
    is_signed = draw(st.booleans())
    lowest = high_bit + 1 - stored
    top = (1 << stored - is_signed) - 1
    noise = min(top // 200, 9) if is_signed else 0
    values = draw(st.lists(st.integers(-noise, top), min_size=11, max_size=11))
    values.append(top)  # a signal that is large beside the noise
    fields = [value % (1 << stored) for value in values]
    overlay = draw(st.integers(0, (1 << allocated) - 1)) & ~(((1 << stored) - 1) << lowest)
    raw = np.array([f << lowest | overlay for f in fields], f"u{allocated // 8}").reshape(3, 4)

    attributes: dict[str, Any] = {
        "BitsAllocated": allocated,
        "BitsStored": stored,
        "HighBit": high_bit,
        "PixelRepresentation": int(is_signed),
    }
    low, high = 1, 0
    padding_vr = "SS" if is_signed else "US"
    if draw(st.booleans()):
        largest = min(top, (1 << 15) - 1)
        ends = [draw(st.sampled_from([v for v in values if v <= largest] or [0]))]
        attributes["PixelPaddingValue"] = ends[0]
        if draw(st.booleans()):
            ends.append(draw(st.integers(ends[0], largest)))
            attributes["PixelPaddingRangeLimit"] = ends[1]
        low, high = min(ends), max(ends)
    slope = draw(st.sampled_from((None, "1", "0.5", "2.25", "1.0e1")))
    intercept = draw(st.sampled_from((None, "0", "4", "12.5"))) if slope else None
    scale = draw(st.sampled_from((None, 0.25, 0.5, 3.0)))
    private = None
    if slope is not None:
        attributes["RescaleSlope"] = slope
        attributes["Manufacturer"] = draw(st.sampled_from(("Philips", "")))
    if intercept is not None:
        attributes["RescaleIntercept"] = intercept
    if scale is not None and slope is not None:
        private = draw(st.sampled_from((0x10, 0x11, 0x1F))), draw(st.sampled_from(("FL", "UN")))
        attributes["scale"] = scale
    divisor = float(slope) * scale if private and slope and scale else 1.0
    expected = [
        0.0
        if low <= value <= high
        else (value * float(slope or 1) + float(intercept or 0)) / divisor
        for value in values
    ]
    return Case(raw, attributes, padding_vr, private, np.reshape(expected, (3, 4)))


def content_of(case: Case, syntax: str) -> bytes:
    """Encode an image."""
    attributes = dict(case.attributes)
    scale = attributes.pop("scale", None)
    dataset = Scan(slices=1, shape=(3, 4)).dataset("W", 0)
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if keyword in attributes:
            dataset.add_new(tag_for_keyword(keyword), case.padding_vr, attributes.pop(keyword))
    setting(**attributes)(dataset, 0)
    if case.private:
        block, vr = case.private
        order = ">f" if syntax == BIG_ENDIAN else "<f"
        value = struct.pack(order, scale) if vr == "UN" else scale
        philips_scale(value, block, vr)(dataset, 0)
    order = ">" if syntax == BIG_ENDIAN else "<"
    dataset.PixelData = case.raw.astype(case.raw.dtype.newbyteorder(order)).tobytes()
    return compressed(dataset, RLE) if syntax == RLE else encoded(dataset, syntax)


def syntaxes_of(case: Case) -> list[str]:
    """Return the encodings in which the attributes of an image are defined."""
    syntaxes = [EXPLICIT, IMPLICIT, DEFLATED]
    if not case.private or case.private[1] != "UN":  # bytes of unknown type have no order
        syntaxes.append(BIG_ENDIAN)
    is_low = case.attributes["HighBit"] == case.attributes["BitsStored"] - 1
    if is_low and case.raw.itemsize == 2:
        syntaxes.append(RLE)
    return syntaxes


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=legal_images())
def test_every_encoding_leads_to_the_signal_that_the_attributes_define(case: Case) -> None:
    for syntax in syntaxes_of(case):
        (signal,) = array_of(slices_of(File("image.dcm", content_of(case, syntax))))
        expected = np.maximum(case.expected, 0)
        np.testing.assert_allclose(signal, expected, rtol=1e-5, atol=1e-5 * expected.max())


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize("missing", [1, 40, 48 * 40 * 2, 48 * 40 * 2 + 2])
def test_a_file_that_ends_within_its_pixels_is_refused(missing: int) -> None:
    assert code(encoded(water())[:-missing]) == "PIXELS_TRUNCATED"


def test_compressed_pixels_whose_stored_values_lie_in_higher_bits_are_refused() -> None:
    """Decoders differ in what they make of such bits."""
    dataset = water(SCAN.pixels("W", 0) * 16)
    dataset.BitsStored = 12
    assert code(compressed(dataset, RLE)) == "PIXELS_UNREADABLE"


@pytest.mark.parametrize("size", [{"Columns": 36}, {"Columns": 44}, {"Rows": 47}, {"Rows": 49}])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, RLE])
def test_pixels_of_another_size_than_the_header_says_are_refused(
    syntax: str, size: dict[str, int]
) -> None:
    dataset = water()
    content = compressed(dataset, RLE) if syntax == RLE else encoded(dataset, syntax)
    (whole,) = slices_of(File("a.dcm", content))
    assert array_of([whole]).shape == (1, 48, 40)
    setting(**size)(dataset, 0)
    content = encoded(dataset, syntax)
    assert code(content) in ("PIXELS_TRUNCATED", "PIXELS_UNREADABLE")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, RLE])
def test_a_classic_file_with_two_frames_is_refused(syntax: str) -> None:
    twice = np.stack([SCAN.pixels("W", 0), SCAN.pixels("W", 1)])
    dataset = water(twice, NumberOfFrames=2)
    content = compressed(dataset, RLE) if syntax == RLE else encoded(dataset, syntax)
    assert code(content) == "DICOM_UNREADABLE"


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_too_few_and_too_many_pixels_are_refused(syntax: str) -> None:
    dataset = water()
    dataset.PixelData = dataset.PixelData[:-80]
    assert code(encoded(dataset, syntax)) == "PIXELS_TRUNCATED"
    dataset.PixelData = bytes(48 * 40 * 2 + 80)
    assert code(encoded(dataset, syntax)) == "PIXELS_UNREADABLE"


@pytest.mark.parametrize("syntax", [JPEG_2000, "1.2.3.4"])
def test_pixels_that_no_plugin_decodes_are_refused(syntax: str) -> None:
    dataset = water()
    dataset.PixelData = b"\1\2"
    assert code(encoded(dataset, syntax)) == "PIXELS_UNREADABLE"


@pytest.mark.parametrize(
    ("syntax", "kind"), [(JPEG_2000, "JPEG 2000"), (HTJ2K, "high-throughput JPEG 2000")]
)
def test_the_error_names_the_compression(syntax: str, kind: str) -> None:
    dataset = water()
    dataset.PixelData = b"\1\2"
    with pytest.raises(MimirError, match=f"compressed as {kind}, {syntax}.* uncompressed"):
        load_slices(slices_of(File("image.dcm", encoded(dataset, syntax))))


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K, "1.2.3.4"])
def test_a_decoder_is_named_where_one_is_missing(
    syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.decoding.decoders.is_installed", lambda extra: False)
    dataset = water()
    dataset.PixelData = b"\1\2"
    with pytest.raises(MimirError) as raised:
        load_slices(slices_of(File("image.dcm", encoded(dataset, syntax))))
    command = "or install a decoder: pip install 'mimir-engine[compressed]'."
    assert (command in raised.value.remedy) == (syntax != "1.2.3.4")


def test_a_missing_pixel_element_is_refused() -> None:
    dataset = water()
    del dataset.PixelData
    dataset.add_new(0x00400280, "ST", "a comment behind the header")
    assert code(encoded(dataset)) == code(encoded(dataset, IMPLICIT)) == "PIXELS_TRUNCATED"
    assert code(encoded(dataset, BIG_ENDIAN)) == "PIXELS_UNREADABLE"


@pytest.mark.parametrize("syntax", [BIG_ENDIAN, RLE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K])
@pytest.mark.parametrize("value", [b"", "text"])
def test_pixels_that_are_empty_or_text_are_refused(syntax: str, value: Any) -> None:
    dataset = water()
    del dataset.PixelData
    dataset.add_new(0x7FE00010, "OB" if value == b"" else "LO", value)
    assert code(encoded(dataset, syntax)) == "PIXELS_UNREADABLE"


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    content = enhanced_file(Scan(slices=65, shape=(2, 2)), [("W", "WATER")]).content
    for element in (0x0010, 0x0011):
        short = struct.pack("<HH2sHH", 0x0028, element, b"US", 2, 2)
        assert short in content
        content = content.replace(short, short[:8] + struct.pack("<H", 2048))
    with pytest.raises(MimirError, match=r"PIXELS_UNREADABLE.*more than 256 MB"):
        load_slices(slices_of(File("image.dcm", content)))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_truncated_deflated_file_is_refused(share: float) -> None:
    content = encoded(water(), DEFLATED)
    assert code(content[: int(share * len(content))]) == "DICOM_UNREADABLE"


def test_floating_point_pixels_are_refused() -> None:
    dataset = water(RescaleSlope="2")
    del dataset.PixelData, dataset.PixelRepresentation
    dataset.BitsAllocated = 32
    dataset.BitsStored, dataset.HighBit = 32, 31
    dataset.FloatPixelData = np.ones((48, 40), np.float32).tobytes()
    assert code(encoded(dataset)) == code(encoded(dataset, IMPLICIT)) == "PIXELS_TRUNCATED"
    assert code(encoded(dataset, BIG_ENDIAN)) == "PIXELS_UNREADABLE"


def test_stored_values_are_read_into_the_room_of_their_station() -> None:
    slices = slices_of(*SCAN.files(("W",)))
    room = room_for([slices, slices])
    one, other = (load_slices(slices, room=room).array for _ in range(2))
    assert np.array_equal(one, array_of(slices))
    assert np.array_equal(other, one)
    assert not np.shares_memory(one, other)
    assert one.base is other.base
    assert room.array((1,), np.dtype(np.uint8)).base is None


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset, _: setattr(dataset, "RescaleSlope", "0.5"),
        lambda dataset, k: set_pixels(dataset, SCAN.pixels("W", k).astype(np.uint32)),
        lambda dataset, k: setattr(dataset, "BitsStored", 12 + k),
    ],
    ids=["scaled", "32 bits", "several formats"],
)
def test_other_slices_have_the_same_signal_in_a_room_and_outside(change: Any) -> None:
    slices = slices_of(*SCAN.files(("W",), change))
    inside, outside = load_slices(slices, room=room_for([slices])), load_slices(slices)
    assert inside.array.dtype == outside.array.dtype
    assert np.array_equal(inside.array, outside.array)
    assert inside.uses_other_bits == outside.uses_other_bits
