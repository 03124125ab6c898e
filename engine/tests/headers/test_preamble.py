"""Data sets without the preamble of a DICOM file are read, never passed over."""

from __future__ import annotations

import pytest
from changes import water
from dicom_builder import BIG_ENDIAN, EXPLICIT, IMPLICIT, File, Scan, encoded
from station_builder import code, headers_of, slices_of

from mimir_engine.study.pixels import load_slices

SCAN = Scan()


def bare(content: bytes, keeps_meta: bool) -> bytes:
    """Remove the preamble, and the file meta information unless it is kept."""
    meta_length = int.from_bytes(content[140:144], "little")
    return content[132:] if keeps_meta else content[144 + meta_length :]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("keeps_meta", [True, False])
@pytest.mark.parametrize("name", ["image.dcm", "IM_0001"])
def test_a_file_without_preamble_gives_the_same_slice(
    syntax: str, keeps_meta: bool, name: str
) -> None:
    (image,) = slices_of(File(name, bare(encoded(water(), syntax), keeps_meta)))
    (whole,) = slices_of(File(name, encoded(water(), syntax)))
    assert image.series == whole.series
    assert (image.position_mm, image.rescale) == (whole.position_mm, whole.rescale)
    assert (load_slices([image]).array[0] == SCAN.pixels("W", 0)).all()


def test_a_bare_file_in_big_endian_is_read_if_its_meta_information_is_there() -> None:
    dataset = water()
    dataset.PixelData = SCAN.pixels("W", 0).astype(">u2").tobytes()
    (image,) = slices_of(File("a.dcm", bare(encoded(dataset, BIG_ENDIAN), keeps_meta=True)))
    assert (load_slices([image]).array[0] == SCAN.pixels("W", 0)).all()


def test_a_bare_report_is_passed_over() -> None:
    dataset = water(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR")
    headers = headers_of(File("report", bare(encoded(dataset), keeps_meta=False)))
    assert headers.slices == []
    assert [one.reason for one in headers.passed_over] == ["report"]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("keeps_meta", [True, False])
@pytest.mark.parametrize("count", [40, 200, 500])
def test_a_bare_file_that_is_cut_off_is_refused(syntax: str, keeps_meta: bool, count: int) -> None:
    content = bare(encoded(water(), syntax), keeps_meta)[:count]
    assert code(File("IM_0001", content)) in ("DICOM_UNREADABLE", "GEOMETRY_UNREADABLE")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08",
        b"\x08\0\5\0",
        b"\x02\0\0\0",
        b"\x08\0\xff\xff" + b"text" * 99,
        b"\x08\0\5\0\xff\xff\xff\x7f" + b"text" * 99,
        b"\0\x08\0\5CS\0\x0a" + b"text" * 99,
        b"two words of a note",
        bytes(4000),
    ],
    ids=[
        *("empty", "one byte", "four bytes", "no value", "another element", "a value too long"),
        *("the other byte order", "text", "zeros"),
    ],
)
def test_a_file_that_only_begins_similarly_is_passed_over(content: bytes) -> None:
    assert headers_of(File("notes", content)).slices == []


@pytest.mark.parametrize("content", [b"", b"\x08\0\5\0", b"two words of a note"])
@pytest.mark.parametrize("name", ["a.dcm", "A.DCM", "folder/a.Dcm"])
def test_a_file_that_is_called_dcm_but_is_none_is_refused_by_name(
    content: bytes, name: str
) -> None:
    assert code(File(name, content)) == "DICOM_UNREADABLE"
