"""The quick reader agrees with pydicom, or leaves the file to it."""

from __future__ import annotations

import io
import struct

import numpy as np
import pydicom
import pytest
from dicom_builder import EXPLICIT, IMPLICIT, Scan, encoded
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from mimir_engine.headers.little_endian import (
    KEYWORDS,
    DataTooShort,
    PixelPlace,
    Unexpected,
    pixel_bytes,
    read_meta,
    read_tags,
)


def tags_of(data: bytes) -> dict[str, object]:
    _, data_set = read_meta(data)
    tags: dict[str, object] = {}
    read_tags(data, data_set, tags)
    return tags


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr in (b"SQ", b"UN", b"OB", b"OW"):
        return head + struct.pack("<HI", 0, size) + value
    return head + struct.pack("<H", size) + value


def item(content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


UNDEFINED = 0xFFFFFFFF
ITEM_END, SEQUENCE_END = (struct.pack("<HHI", 0xFFFE, e, 0) for e in (0xE00D, 0xE0DD))
META = bytes(128) + b"DICM" + element(0x00020010, b"UI", EXPLICIT.encode() + b"\0")
ROWS = element(0x00280010, b"US", b"\x30\0")
BEHIND = element(0x7FE00010, b"OW", b"\1\0\2\0")


def test_all_tags_are_read_as_pydicom_reads_them() -> None:
    dataset = Scan().dataset("W", 3)
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1.5", "-2", "US"
    data = encoded(dataset)
    tags = tags_of(data)
    expected = pydicom.dcmread(io.BytesIO(data))
    for keyword in set(KEYWORDS.values()) & {str(e.keyword) for e in expected}:
        value = expected[keyword].value
        if isinstance(value, pydicom.multival.MultiValue):
            value = "\\".join(map(str, value))
        assert str(tags[keyword]) == str(value)
    assert tags["Rows"] == 48
    assert tags["ImageType"] == "DERIVED\\PRIMARY\\DIXON\\WATER"


def test_pixels_after_long_private_elements_are_found() -> None:
    scan = Scan()
    dataset = scan.dataset("F", 0)
    dataset.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    dataset.add_new(0x00291010, "OB", bytes(70_000))
    data = encoded(dataset)
    _, data_set = read_meta(data)
    tags: dict[str, object] = {}
    end = read_tags(data[:2000], data_set, tags)
    assert tags["Columns"] == 40
    pixels = np.frombuffer(pixel_bytes(data, PixelPlace(end, False)), "<u2")
    np.testing.assert_array_equal(pixels.reshape(48, 40), scan.pixels("F", 0))


@pytest.mark.parametrize("undefined", [True, False])
def test_nested_sequences_are_skipped(undefined: bool) -> None:
    inner, outer = Dataset(), Dataset()
    inner.SeriesDescription = "nested, not that of the series"
    inner.Rows = 7
    outer.ReferencedSOPClassUID = "1.2.3"
    outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
    dataset = Scan().dataset("W", 0)
    dataset.ReferencedImageSequence = Sequence([outer, outer])
    dataset.RequestAttributesSequence = Sequence([])
    for sequence in (outer["PurposeOfReferenceCodeSequence"], dataset["ReferencedImageSequence"]):
        sequence.is_undefined_length = undefined
    for part in (inner, outer):
        part.is_undefined_length_sequence_item = undefined
    tags = tags_of(encoded(dataset))
    assert tags["SeriesDescription"] == "Dixon_noBH_W"
    assert tags["Rows"] == 48


def test_an_icon_image_is_not_read_as_the_image() -> None:
    dataset = Scan().dataset("W", 0)
    icon = Dataset()
    icon.Rows, icon.Columns = 2, 2
    icon.PixelData = b"\xff" * 8
    icon["PixelData"].VR = "OW"
    dataset.IconImageSequence = Sequence([icon])
    dataset["IconImageSequence"].is_undefined_length = True
    data = encoded(dataset)
    tags: dict[str, object] = {}
    end = read_tags(data, read_meta(data)[1], tags)
    assert tags["Rows"] == 48
    assert bytes(pixel_bytes(data, PixelPlace(end, False))) == dataset.PixelData


def test_only_the_presence_of_a_sequence_is_read() -> None:
    lut = element(0x00283000, b"SQ", item(ROWS) + SEQUENCE_END, UNDEFINED)
    assert tags_of(META + lut + BEHIND)["ModalityLUTSequence"] == "sequence"


@pytest.mark.parametrize("cut", range(132, 700, 7))
def test_a_truncated_header_needs_more_data(cut: int) -> None:
    data = encoded(Scan().dataset("W", 0))[:cut]
    with pytest.raises(DataTooShort):
        read_tags(data, read_meta(data)[1], {})


def test_truncated_pixels_need_more_data() -> None:
    data = encoded(Scan().dataset("W", 0))
    end = read_tags(data, read_meta(data)[1], {})
    with pytest.raises(DataTooShort):
        pixel_bytes(data[:-1], PixelPlace(end, False))
    with pytest.raises(DataTooShort):
        pixel_bytes(data[:end], PixelPlace(end, False))


def nested(depth: int) -> bytes:
    content = ROWS
    for _ in range(depth):
        content = element(0x00081140, b"SQ", item(content + ITEM_END, UNDEFINED), UNDEFINED)
        content += SEQUENCE_END
    return content


def test_sequences_are_read_up_to_a_maximum_depth() -> None:
    assert tags_of(META + nested(5) + ROWS + BEHIND)["Rows"] == 48
    with pytest.raises(Unexpected):
        tags_of(META + nested(2000) + ROWS + BEHIND)


@pytest.mark.parametrize(
    "declined",
    [
        element(0x00081140, b"SQ", ROWS, UNDEFINED),
        element(0x00081140, b"SQ", item(b"\x10\0\x10\0??\0\0" + ITEM_END, UNDEFINED), UNDEFINED),
        element(0x00081140, b"XX", b"??"),
        element(0x0008103E, b"UN", b"", UNDEFINED),
    ],
    ids=["no item", "implicit item", "unknown VR", "endless text"],
)
def test_unexpected_elements_are_left_to_pydicom(declined: bytes) -> None:
    with pytest.raises(Unexpected):
        tags_of(META + declined + ROWS + BEHIND)


def test_implicit_elements_and_encapsulated_pixels_are_left_to_pydicom() -> None:
    implicit = encoded(Scan().dataset("W", 0), IMPLICIT)
    with pytest.raises(Unexpected):
        read_tags(implicit, read_meta(implicit)[1], {})
    fragments = item(b"") + item(b"\1\2") + SEQUENCE_END
    with pytest.raises(Unexpected):
        pixel_bytes(element(0x7FE00010, b"OB", fragments, UNDEFINED), PixelPlace(0, False))
