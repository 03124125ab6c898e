"""What all slices of a series share is read from their headers."""

from __future__ import annotations

from typing import Any

import pytest
from changes import water
from dicom_builder import EXPLICIT, IMPLICIT, File, Scan, encoded, enhanced_file, overwritten
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from station_builder import code, slice_of, slices_of

from mimir_engine.headers.series import Series


def series_of(**attributes: Any) -> Series:
    return slice_of(water(**attributes)).series


@pytest.mark.parametrize(
    ("text", "tesla"),
    [("1.5", 1.5), ("3", 3.0), ("15000", 1.5), ("30000", 3.0), ("0.55", 0.55), ("", None)],
)
def test_field_strength_in_tesla_or_gauss(text: str, tesla: float | None) -> None:
    assert series_of(MagneticFieldStrength=text).scanner.field_strength_t == tesla


def test_field_strength_that_is_no_number_is_unknown() -> None:
    content = overwritten(encoded(water(MagneticFieldStrength="1.49999")), b"1.49999", b"1,5")
    (image,) = slices_of(File("a.dcm", content))
    assert image.series.scanner.field_strength_t is None


@pytest.mark.parametrize(
    ("image_type", "words"),
    [
        (["DERIVED", "PRIMARY", "DIXON", "WATER"], set()),
        (["DERIVED", "PRIMARY", "DIXON", "WATER", "ND"], set()),
        (
            ["DERIVED", "PRIMARY", "DIXON", "WATER", "NORM", "DIS3D", "DIS2D"],
            {"NORM", "DIS3D", "DIS2D"},
        ),
    ],
)
def test_the_reconstruction_is_read_from_the_image_type(
    image_type: list[str], words: set[str]
) -> None:
    assert series_of(ImageType=image_type).reconstruction == words


@pytest.mark.parametrize(
    ("text", "has_agent"),
    [
        *((text, True) for text in ("Gadovist", "Gd-DOTA 7.5 ml", "yes", "Dotarem", "MULTIHANCE")),
        *((text, False) for text in (None, "", "NONE", "No", "kein", "N/A", "na", "0", "--")),
        *((text, False) for text in ("without contrast", "ohne KM", "native", "nativ")),
    ],
)
def test_the_contrast_agent(text: str | None, has_agent: bool) -> None:
    assert series_of(ContrastBolusAgent=text).has_agent is has_agent


@pytest.mark.parametrize(
    ("syntax", "is_lossy"),
    [(50, True), (51, True), (70, False), (80, False), (81, True), (90, False)],
)
def test_a_transfer_syntax_with_loss_counts_whatever_the_header_says(
    syntax: int, is_lossy: bool
) -> None:
    """Plain and extended JPEG, and near-lossless JPEG-LS."""
    uid = f"1.2.840.10008.1.2.4.{syntax}"
    (image,) = slices_of(File("a.dcm", encoded(water(), uid)))
    assert image.series.is_lossy is is_lossy
    frames = slices_of(enhanced_file(Scan(slices=2), [("W", "WATER")], syntax=uid))
    assert {frame.series.is_lossy for frame in frames} == {is_lossy}


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_contrast_agent_named_by_a_sequence_counts(syntax: str) -> None:
    """Enhanced images name it only there."""
    agent = Dataset()
    agent.CodeValue, agent.CodeMeaning = "C-B03CD", "gadobutrol"
    dataset = water(ContrastBolusAgentSequence=Items([agent]))
    assert slice_of(dataset, syntax).series.has_agent
    dataset.ContrastBolusAgentSequence = Items([])
    assert not slice_of(dataset, syntax).series.has_agent


def test_equal_series_are_one_object() -> None:
    """Studies have thousands of slices."""
    one, other = (slice_of(water(InstanceNumber=k)).series for k in (1, 2))
    assert one is other


def test_missing_attributes_are_unknown() -> None:
    series = series_of(
        SeriesInstanceUID=None,
        SeriesNumber=None,
        Manufacturer=None,
        ManufacturerModelName=None,
        MagneticFieldStrength=None,
        PatientID=None,
        StudyInstanceUID=None,
    )
    assert (series.uid, series.number, series.patient, series.study_uid) == ("", 0, "", "")
    assert (series.scanner.vendor, series.scanner.field_strength_t) == ("", None)
    assert (series.patient_position, series.images) == ("", None)
    assert not series.is_lossy


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize(
    "attributes",
    [
        {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"SamplesPerPixel": 3},
    ],
)
def test_images_made_for_display_are_refused(attributes: dict[str, Any], syntax: str) -> None:
    content = encoded(water(**attributes), syntax)
    assert code(File("image.dcm", content)) == "PIXELS_UNSUPPORTED"
