"""Headers in every encoding become the same slices, and bad ones are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from dicom_builder import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    File,
    Scan,
    encoded,
    overwritten,
)
from pydicom.dataset import Dataset
from station_builder import code, headers_of, slice_of, slices_of

from mimir_engine.study import Contrast, Scanner

SCAN = Scan(slices=2)


def water(**changes: Any) -> Dataset:
    """Return a good header of a water slice with some attributes set, or deleted (None)."""
    dataset = SCAN.dataset("W", 1)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def code_of(dataset: Dataset) -> str:
    return code(File("image.dcm", encoded(dataset)))


# ------------------------------------------------------------------ accepted


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_every_encoding_gives_the_same_slice(syntax: str) -> None:
    image = slice_of(water(), syntax)
    assert image.contrast is Contrast.WATER
    assert image.position_mm == (-78.0, -94.0, -6.0)
    assert image.orientation == (1, 0, 0, 0, 1, 0)
    assert image.spacing_mm == (4.0, 4.0)
    assert (image.rows, image.columns) == (48, 40)
    series = image.series
    assert series.scanner == Scanner("SIEMENS", "Aera", 1.5)
    assert (series.number, series.description) == (1, "Dixon_noBH_W")
    assert (series.study_uid, series.patient) == ("2.25.7", "someone")
    assert image.rescale.is_identity
    assert (image.pixels is None) == (syntax == BIG_ENDIAN)


def test_in_phase_and_opposed_phase_are_kept_apart_from_water_and_fat() -> None:
    headers = headers_of(*SCAN.files(("in", "opp", "F", "W")))
    assert [s.contrast for s in headers.slices] == [Contrast.FAT] * 2 + [Contrast.WATER] * 2
    assert {c.series.contrast for c in headers.companions} == {
        Contrast.IN_PHASE,
        Contrast.OPPOSED_PHASE,
    }


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    "keyword",
    ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"],
)
def test_missing_geometry_is_refused(keyword: str) -> None:
    assert code_of(water(**{keyword: None})) == "GEOMETRY_UNREADABLE"


@pytest.mark.parametrize("value", ["nan", "inf", "1e99", "", "abc", "-94\\-94"])
def test_geometry_that_is_not_a_number_is_refused(value: str) -> None:
    content = encoded(water(ImagePositionPatient=["-77.777777777", "-94", "0"]))
    content = overwritten(content, b"-77.777777777", value.encode())
    assert code(File("image.dcm", content)) == "GEOMETRY_UNREADABLE"


@pytest.mark.parametrize(
    "pixels", [{"Rows": 0}, {"Columns": 0}, {"Rows": 65535, "Columns": 65535}, {"Rows": [48, 48]}]
)
def test_implausible_sizes_are_refused(pixels: dict[str, Any]) -> None:
    assert code_of(water(**pixels)) == "GEOMETRY_UNREADABLE"


def test_rows_of_another_type_are_refused() -> None:
    rows = b"\x28\0\x10\0US\2\0\x30\0"
    content = overwritten(encoded(water()), rows, rows[:4] + b"IS\2\0xy")
    assert code(File("image.dcm", content)) == "GEOMETRY_UNREADABLE"


def test_contradicting_headers_are_refused() -> None:
    assert code_of(water(SeriesDescription="Dixon_F")) == "CONTRAST_CONTRADICTION"


@pytest.mark.parametrize("number", ["9" * 12, "", "1\\2"])
@pytest.mark.filterwarnings("ignore")
def test_an_unusual_series_number_is_accepted(number: str) -> None:
    content = overwritten(
        encoded(water(SeriesNumber="123456789012")), b"123456789012", number.encode()
    )
    (image,) = slices_of(File("a.dcm", content))
    assert image.series.number in (0, 999_999_999_999)


def files_in(order: Sequence[int]) -> list[File]:
    files = SCAN.files()
    return [files[i] for i in order]


def test_slices_keep_the_order_of_the_files() -> None:
    names = [f.name for f in files_in([3, 0, 2, 1])]
    assert [s.entry.name for s in slices_of(*files_in([3, 0, 2, 1]))] == names


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize(
    "changes",
    [
        {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7},
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
    ],
    ids=["8 bits", "colours"],
)
def test_a_picture_of_a_scan_is_passed_over(syntax: str, changes: dict[str, Any]) -> None:
    picture = water(ImageType=["DERIVED", "SECONDARY", "OTHER"], **changes)
    scan, shown = File("a.dcm", encoded(water(), syntax)), File("b.dcm", encoded(picture, syntax))
    headers = headers_of(scan, shown)
    assert len(headers.slices) == 1
    assert [one.reason for one in headers.passed_over] == ["picture made for display"]
