"""No small file makes reading take much memory, and short memory is reported as what it is."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from attacks import (
    GROUPS_PER_FRAME,
    RLE,
    SHARED_GROUPS,
    blank_slices,
    long_text,
    many_entries,
    nested_items,
    with_element,
    with_items,
    write_attack,
)
from dicom_builder import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    File,
    Scan,
    compressed,
    enhanced_file,
    write_zip,
)
from limited_memory import codes_within, peak_megabytes
from station_builder import slices_of

from mimir_engine.errors import MimirError
from mimir_engine.study import read_study
from mimir_engine.study.pixels import DecodedFiles, first_difference, load_slices

SCAN = Scan(slices=4)
BOTH = [("W", "WATER"), ("F", "FAT")]


def code(path: Path) -> str:
    with pytest.raises(MimirError) as raised:
        read_study(path)
    return raised.value.code


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory hold only there")
def test_attacks_are_refused_within_600_mb(tmp_path: Path) -> None:
    """Without limits these archives, of less than 40 MB each, took up to 3 GB."""
    attacks = {
        "text.zip": (Scan(slices=30).files(change=long_text(10_000_000)), "DICOM_UNREADABLE"),
        "per_frame.zip": ([with_items(GROUPS_PER_FRAME, 1_600_000)], "DICOM_UNREADABLE"),
        "shared.zip": ([with_items(SHARED_GROUPS, 1_600_000)], "DICOM_UNREADABLE"),
        "pixels.zip": (blank_slices(200, 1024, RLE), "STUDY_TOO_LARGE"),
        "nested.zip": ([File("1.zip", many_entries(600_000, b"a/"))], "STUDY_TOO_LARGE"),
    }
    paths = [write_attack(tmp_path / name, files) for name, (files, _) in attacks.items()]
    paths.append(tmp_path / "entries.zip")
    paths[-1].write_bytes(many_entries(600_000, declared=1))
    expected = [code for _, code in attacks.values()]
    assert codes_within(600, paths) == [*expected, "STUDY_TOO_LARGE"]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_a_long_text_is_refused_in_every_encoding(tmp_path: Path, syntax: str) -> None:
    files = SCAN.files(change=long_text(2000), syntax=syntax)
    assert code(write_zip(tmp_path / "study.zip", files)) == "DICOM_UNREADABLE"


def test_a_long_text_in_an_enhanced_file_is_refused(tmp_path: Path) -> None:
    def change(frame: Any, number: int) -> None:
        frame.MRImageFrameTypeSequence[0].FrameType = ["A" * 16] * 100

    file = enhanced_file(SCAN, BOTH, change)
    assert code(write_zip(tmp_path / "study.zip", [file])) == "DICOM_UNREADABLE"


def test_an_endless_private_header_is_refused(tmp_path: Path) -> None:
    (file,) = Scan(slices=1).files(("W",))
    content = with_element(file.content, 0x00191008, b"OB", bytes(17 * 2**20))
    path = write_zip(tmp_path / "study.zip", [File("a.dcm", content)])
    assert code(path) == "DICOM_UNREADABLE"
    assert peak_megabytes(lambda: code(path)) < 60


def test_a_header_of_a_million_values_is_refused(tmp_path: Path) -> None:
    """pydicom looks up each character set that a header names, whichever attributes are wanted."""
    (file,) = Scan(slices=1).files(("W",), syntax=BIG_ENDIAN)
    start = file.content.index(b"\x00\x08\x00\x05CS")
    length = 1_100_000
    names = struct.pack(">HH2sHI", 0x0008, 0x0005, b"UT", 0, length) + b"\\" * length
    content = file.content[:start] + names + file.content[start + 18 :]
    path = write_zip(tmp_path / "study.zip", [File("a.dcm", content)])
    assert peak_megabytes(lambda: code(path)) < 30
    assert code(path) == "DICOM_UNREADABLE"


def test_deeply_nested_sequences_are_refused(tmp_path: Path) -> None:
    file = with_items(SHARED_GROUPS, 1, nested_items(20_000))
    assert code(write_zip(tmp_path / "study.zip", [file])) == "DICOM_UNREADABLE"


def test_items_that_no_image_needs_are_not_parsed_with_compressed_pixels(tmp_path: Path) -> None:
    """They lie behind all that is read of a header, but in front of the pixels."""
    items = (b"\xfe\xff\x00\xe0" + bytes(4)) * 200_000 + b"\xfe\xff\xdd\xe0" + bytes(4)
    files = [
        File(f"{suffix}{k}.dcm", with_element(content, 0x00400275, b"SQ", items))
        for series, suffix in enumerate("FW")
        for k in range(4)
        for content in [compressed(SCAN.dataset(suffix, k, series), RLE)]
    ]
    path = write_zip(tmp_path / "study.zip", files)
    assert peak_megabytes(lambda: read_study(path)) < 30


def test_images_are_counted_not_only_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.source.reading_limits.MAX_FILES", 9)
    path = write_zip(tmp_path / "study.zip", [enhanced_file(Scan(slices=5), BOTH)])
    assert code(path) == "STUDY_TOO_LARGE"


def test_more_scans_than_a_study_has_are_refused(
    study_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.study.series_stacks.MAX_STACKS", 5)
    assert code(study_zip) == "STUDY_TOO_LARGE"


def test_a_study_is_refused_for_its_decoded_size_before_pixels_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mimir_engine.study.station_plan.MAX_STATION_BYTES", 2 * 4 * 48 * 40 * 2)
    path = write_zip(tmp_path / "study.zip", SCAN.files())
    assert len(read_study(path).stations) == 1
    monkeypatch.setattr("mimir_engine.study.read.load_stations", None)
    larger = write_zip(tmp_path / "larger.zip", Scan(slices=5).files())
    assert code(larger) == "STUDY_TOO_LARGE"


def test_a_file_with_all_images_is_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Water and fat alternate in it, and it holds two stations."""
    from mimir_engine.study import pixels

    decoded = []
    original = pixels._frames
    monkeypatch.setattr(
        pixels, "_frames", lambda image: decoded.append(image.entry.name) or original(image)
    )
    station = Scan(slices=12)
    file = enhanced_file(station, BOTH)
    slices = slices_of(file)
    files = DecodedFiles()
    for number in range(2):
        water = [s for s in slices if s.contrast.value == "water"]
        load_slices(water[number::2], files)
    assert first_difference(list(zip(slices, slices)), files) is None
    assert decoded == [file.name]


def test_files_whose_slices_alternate_are_decoded_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mimir_engine.study import pixels

    decoded = []
    original = pixels._frames
    monkeypatch.setattr(
        pixels, "_frames", lambda image: decoded.append(image.entry.name) or original(image)
    )
    even, odd = (slices_of(enhanced_file(Scan(slices=4, number=n), BOTH)) for n in (1, 5))
    load_slices([s for both in zip(even, odd) for s in both])
    assert sorted(decoded) == ["enhanced_1.dcm", "enhanced_5.dcm"]


def test_decoded_files_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.study.pixels.MAX_DECODED_BYTES", 2 * 8 * 48 * 40 * 2)
    files = DecodedFiles()
    for number in range(6):
        load_slices(slices_of(enhanced_file(Scan(slices=4, number=number), BOTH)), files)
    assert len(files._frames) < 4


def test_signal_is_the_same_if_it_is_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(dataset: Any, k: int) -> None:
        dataset.RescaleSlope = "0.5"
        dataset.RescaleIntercept = "-1"

    slices = slices_of(*Scan(slices=9).files(("W",), change))
    whole = load_slices(slices)
    monkeypatch.setattr("mimir_engine.study.pixels.MAX_BYTES_AT_ONCE", 3 * 48 * 40 * 4)
    parts = load_slices(slices)
    assert parts.array.dtype == whole.array.dtype
    assert (parts.array == whole.array).all()
    assert parts.has_negative == whole.has_negative


@pytest.mark.parametrize("place", ["read", "decompress"])
def test_short_memory_is_not_turned_into_another_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    import pydicom

    def fails(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    files = [
        File(f"{suffix}{k}.dcm", compressed(SCAN.dataset(suffix, k, series), RLE))
        for series, suffix in enumerate("FW")
        for k in range(4)
    ]
    path = write_zip(tmp_path / "study.zip", files)
    if place == "read":
        monkeypatch.setattr(pydicom, "dcmread", fails)
    else:
        monkeypatch.setattr("mimir_engine.study.compressed_pixels.decoded", fails)
    with pytest.raises(MemoryError):
        read_study(path)


def test_short_memory_is_not_called_a_damaged_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pydicom

    def fails(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    path = write_zip(tmp_path / "study.zip", SCAN.files(syntax=BIG_ENDIAN))
    monkeypatch.setattr(pydicom, "dcmread", fails)
    with pytest.raises(MemoryError):
        read_study(path)
