"""Scales of stored values are read from headers; implausible ones are refused."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from changes import philips_scale, setting, water
from dicom_builder import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    File,
    Scan,
    encoded,
    enhanced_file,
    overwritten,
)
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from station_builder import code, slice_of, slices_of

SCAN = Scan(slices=2)
SYNTAXES = [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED]


def philips(slope: str, scale: float, block: int = 0x10, **changes: Any) -> Dataset:
    dataset = water(Manufacturer="Philips Medical Systems", RescaleSlope=slope)
    philips_scale(scale, block)(dataset, 0)
    setting(**changes)(dataset, 0)
    return dataset


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("block", [0x10, 0x11, 0xFF])
@pytest.mark.parametrize(
    "changes",
    [{}, {"Manufacturer": ""}, {"Manufacturer": None}, {"Manufacturer": "philips"}],
    ids=["Philips", "emptied vendor", "removed vendor", "small letters"],
)
def test_the_private_scale_of_philips_is_read(
    syntax: str, block: int, changes: dict[str, Any]
) -> None:
    rescale = slice_of(philips("2.5", 0.25, block, **changes), syntax).rescale
    assert (rescale.slope, rescale.signal_scale) == (2.5, 0.25)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vendor", ["Philips Medical Systems", "", None])
def test_the_private_scale_counts_without_a_rescale_slope(syntax: str, vendor: str) -> None:
    dataset = philips("2.5", 0.25, RescaleSlope=None, Manufacturer=vendor)
    assert slice_of(dataset, syntax).rescale.signal_scale == 0.25


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_private_scale_of_unknown_type_is_read(syntax: str) -> None:
    """An archive that does not know private attributes keeps their bytes."""
    dataset = philips("2.5", 0.5)
    philips_scale(struct.pack("<f", 0.25), vr="UN")(dataset, 0)
    assert slice_of(dataset, syntax).rescale.signal_scale == 0.25


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize(("vr", "value"), [("DS", "0.25"), ("LO", "0.25"), ("FD", 0.25)])
def test_a_private_scale_of_another_type_is_read(syntax: str, vr: str, value: Any) -> None:
    """The four letters of ``0.25`` are not a 32-bit number."""
    dataset = philips("2.5", 0.5)
    philips_scale(value, vr=vr)(dataset, 0)
    assert slice_of(dataset, syntax).rescale.signal_scale == 0.25


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_private_creator_may_be_in_capital_letters(syntax: str) -> None:
    dataset = philips("2.5", 0.25)
    dataset.add_new(0x20050010, "LO", "PHILIPS MR IMAGING DD 001")
    assert slice_of(dataset, syntax).rescale.signal_scale == 0.25


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_empty_private_scale_is_none(syntax: str) -> None:
    dataset = philips("2.5", 0.25)
    philips_scale(None)(dataset, 0)
    assert slice_of(dataset, syntax).rescale.signal_scale is None


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_private_scale_is_refused(syntax: str, scale: float) -> None:
    assert code(File("a.dcm", encoded(philips("2.5", scale), syntax))) == "SCALE_UNSUPPORTED"


def test_a_private_scale_of_another_creator_is_ignored() -> None:
    dataset = philips("2.5", 0.25)
    dataset.add_new(0x20050010, "LO", "SOMEBODY ELSE")
    dataset.add_new(0x2005100E, "UN", b"\1\2\3\4")
    assert slice_of(dataset).rescale.signal_scale is None


def test_the_private_scale_of_philips_is_read_from_frames() -> None:
    def change(frame: Dataset, number: int) -> None:
        inner = Dataset()
        inner.add_new(0x20050010, "LO", "Philips MR Imaging DD 001")
        inner.add_new(0x2005100E, "FL", 0.5)
        frame.add_new(0x20050014, "LO", "Philips MR Imaging DD 005")
        frame.add_new(0x2005140F, "SQ", Items([inner]))

    slices = slices_of(enhanced_file(SCAN, [("W", "WATER")], change))
    assert {s.rescale.signal_scale for s in slices} == {0.5}


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("RescaleSlope", "nan"),
        ("RescaleSlope", "0"),
        ("RescaleSlope", "-1"),
        ("RescaleSlope", "1e38"),
        ("RescaleSlope", "1\\2"),
        ("RescaleSlope", "1_0"),
        ("RescaleSlope", "1,5"),
        ("RescaleSlope", "0x10"),
        ("RescaleSlope", "\xb2"),
        ("RescaleIntercept", "inf"),
        ("RescaleIntercept", "?"),
        ("RescaleIntercept", "1e9"),
        ("RescaleIntercept", "-1e9"),
        ("RescaleIntercept", "1_0"),
    ],
)
def test_invalid_scales_are_refused(keyword: str, value: str) -> None:
    content = encoded(water(**{keyword: "7777777.5"}))
    assert (
        code(File("a.dcm", overwritten(content, b"7777777.5", value.encode("latin-1"))))
        == "SCALE_UNSUPPORTED"
    )


def test_an_empty_scale_is_the_identity() -> None:
    assert slice_of(water(RescaleSlope="", RescaleIntercept="")).rescale.is_identity


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_look_up_table_is_refused_only_in_used_series(syntax: str) -> None:
    lut = Dataset()
    lut.LUTDescriptor = [1, 0, 16]
    lut.ModalityLUTType = "US"
    lut.add_new(0x00283006, "US", 5)
    dataset = water(ModalityLUTSequence=Items([lut]))
    assert code(File("a.dcm", encoded(dataset, syntax))) == "SCALE_UNSUPPORTED"
    dataset.ImageType, dataset.SeriesDescription = ["ORIGINAL", "PRIMARY", "M"], "something else"
    assert slices_of(File("a.dcm", encoded(dataset, syntax))) == []
