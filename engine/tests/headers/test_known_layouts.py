"""A header that is laid out like an earlier one is read in one step, to the same values."""

from __future__ import annotations

import struct

import pytest
from dicom_builder import Scan, encoded
from limited_memory import peak_megabytes

from mimir_engine.headers import little_endian
from mimir_engine.headers.known_layouts import MAX_BYTES, MAX_LAYOUTS, KnownLayouts
from mimir_engine.headers.little_endian import BEHIND_HEADER, DataTooShort, Tags, Unexpected

SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


@pytest.fixture(autouse=True)
def _nothing_is_known() -> None:
    little_endian._layouts.cache_clear()


def part(*elements: tuple[int, bytes, bytes]) -> bytes:
    """Return elements with explicit VR, and the pixels behind them."""
    short = (
        struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value
        if vr != b"SQ"
        else struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value
        for tag, vr, value in elements
    )
    return b"".join(short) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 0)


def read(data: bytes, position: int = 0) -> tuple[int, Tags]:
    tags: Tags = {}
    return little_endian.read_tags(data, position, tags), tags


def known() -> KnownLayouts:
    return little_endian._layouts(BEHIND_HEADER, False)


ROWS, NUMBER = (0x00280010, b"US", b"\x30\0"), (0x00200013, b"IS", b"12")


def test_every_slice_of_a_series_has_the_values_that_reading_it_alone_gives() -> None:
    slices = [encoded(Scan().dataset(letter, index)) for letter in "WF" for index in range(12)]
    together = [read(data, little_endian.read_meta(data, {})) for data in slices]
    for data, found in zip(slices, together):
        little_endian._layouts.cache_clear()
        assert read(data, little_endian.read_meta(data, {})) == found
    assert len({str(tags) for _, tags in together}) == len(slices)


def test_a_known_layout_is_found_wherever_it_begins() -> None:
    one, other = part(NUMBER, ROWS), part((0x00200013, b"IS", b"7 "), (0x00280010, b"US", b"\1\1"))
    end, _ = read(one)
    assert known().find(other, 0) is not None
    assert read(b"???" + other, 3) == (end + 3, {"InstanceNumber": "7", "Rows": 257})


@pytest.mark.parametrize(
    "other",
    [
        part((0x00200013, b"IS", b"1234"), ROWS),
        part((0x00200013, b"LO", b"12"), ROWS),
        part((0x00200011, b"IS", b"12"), ROWS),
        part(NUMBER, ROWS, (0x00281050, b"DS", b"1 ")),
        part(NUMBER),
    ],
    ids=["another length", "another type", "another tag", "one element more", "one less"],
)
def test_a_header_that_differs_in_its_layout_is_not_taken_for_a_known_one(other: bytes) -> None:
    read(part(NUMBER, ROWS))
    assert known().find(other, 0) is None
    together = read(other)
    little_endian._layouts.cache_clear()
    assert read(other) == together


def test_a_header_that_ends_early_needs_more_data_though_its_layout_is_known() -> None:
    data = part(NUMBER, ROWS)
    end, _ = read(data)
    for size in range(end):
        with pytest.raises(DataTooShort):
            read(data[:size])


def test_only_the_presence_of_a_sequence_is_read_from_a_known_layout() -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    for value, shown in ((item, "sequence"), (SEQUENCE_END, ""), (item, "sequence")):
        data = part((0x00180012, b"SQ", value), ROWS)
        assert read(data)[1]["ContrastBolusAgentSequence"] == shown


def test_headers_with_values_of_undefined_length_are_read_element_by_element() -> None:
    sequence = struct.pack("<HH2sHI", 0x0018, 0x0012, b"SQ", 0, 0xFFFFFFFF) + SEQUENCE_END
    data = sequence + part(ROWS)
    assert read(data) == read(data)
    assert known().find(data, 0) is None


def test_a_value_without_end_is_left_to_pydicom_each_time() -> None:
    data = part((0x00200013, b"IS", b"1" * 2000), ROWS)
    for _ in range(2):
        with pytest.raises(Unexpected):
            read(data)


def test_a_header_of_very_many_elements_takes_no_memory() -> None:
    data = part(*[(0x00090010, b"LO", b"")] * 50_000, ROWS)
    assert peak_megabytes(lambda: read(data)) < 1


def test_neither_long_headers_nor_many_layouts_are_kept() -> None:
    long = part((0x00090010, b"LO", bytes(MAX_BYTES)), ROWS)
    many = part(*[(0x00090000 + number, b"LO", b"") for number in range(300)])
    for data in (long, many):
        read(data)
        assert known().find(data, 0) is None
    for length in range(0, 4 * MAX_LAYOUTS, 2):
        read(part((0x00200013, b"IS", b"1" * length), ROWS))
    assert len(known()._layouts) == MAX_LAYOUTS
