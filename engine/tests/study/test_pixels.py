"""Stored values of every encoding become signal."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
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
from pydicom.dataset import Dataset
from station_builder import slice_of, slices_of

from mimir_engine.errors import MimirError
from mimir_engine.study.pixels import load_slices
from mimir_engine.study.slices import Slice

SCAN = Scan(slices=2)
RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K = (f"1.2.840.10008.1.2.4.{n}" for n in (70, 80, 90, 201))


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
def test_losslessly_compressed_pixels_are_read(syntax: str, tmp_path: Any) -> None:
    gdcm = pytest.importorskip("gdcm", reason="GDCM is not installed")
    source, target = tmp_path / "plain.dcm", tmp_path / "compressed.dcm"
    source.write_bytes(encoded(water()))
    reader, change, writer = (
        gdcm.ImageReader(),
        gdcm.ImageChangeTransferSyntax(),
        gdcm.ImageWriter(),
    )
    reader.SetFileName(str(source))
    assert reader.Read()
    names = {
        JPEG_LOSSLESS: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
        JPEG_LS: gdcm.TransferSyntax.JPEGLSLossless,
        JPEG_2000: gdcm.TransferSyntax.JPEG2000Lossless,
    }
    change.SetTransferSyntax(gdcm.TransferSyntax(names[syntax]))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.PyGetOutput() if hasattr(change, "PyGetOutput") else change.GetOutput())
    assert writer.Write()
    content = target.read_bytes()
    assert syntax.encode() in content
    (signal,) = array_of(slices_of(File("image.dcm", content)))
    np.testing.assert_array_equal(signal, SCAN.pixels("W", 0))


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize("missing", [1, 40, 48 * 40 * 2, 48 * 40 * 2 + 2])
def test_a_file_that_ends_within_its_pixels_is_refused(missing: int) -> None:
    assert code(encoded(water())[:-missing]) == "PIXELS_TRUNCATED"


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


def test_a_missing_pixel_element_is_refused() -> None:
    dataset = water()
    del dataset.PixelData
    dataset.add_new(0x00400280, "ST", "a comment behind the header")
    assert code(encoded(dataset)) == code(encoded(dataset, IMPLICIT)) == "PIXELS_TRUNCATED"
    assert code(encoded(dataset, BIG_ENDIAN)) == "PIXELS_UNREADABLE"


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    content = enhanced_file(Scan(slices=65, shape=(2, 2)), [("W", "WATER")]).content
    for element in (0x0010, 0x0011):
        short = struct.pack("<HH2sHH", 0x0028, element, b"US", 2, 2)
        assert short in content
        content = content.replace(short, short[:8] + struct.pack("<H", 2048))
    with pytest.raises(MimirError, match=r"PIXELS_UNREADABLE.*more than 512 MB"):
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
