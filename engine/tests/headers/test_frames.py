"""The header of each image is read in any encoding; other files are told apart."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import pydicom
import pytest
from changes import philips_scale, water
from dicom_builder import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    LEGACY_ENHANCED_MR_IMAGE,
    File,
    Scan,
    encoded,
    enhanced_file,
)
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from station_builder import code, entry_of, slice_of, slices_of

from mimir_engine.errors import MimirError
from mimir_engine.headers.frames import read_frames
from mimir_engine.headers.little_endian import KEYWORDS
from mimir_engine.source.open_source import FIRST_BYTES
from mimir_engine.study import Contrast

SCAN = Scan(slices=2)


def code_of(dataset: Dataset) -> str:
    return code(File("image.dcm", encoded(dataset)))


def tags_of(content: bytes) -> dict[str, Any]:
    (frame,) = read_frames(entry_of(File("a.dcm", content)), content[:FIRST_BYTES])
    return frame.tags


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize("sign", [0, 1])
def test_every_attribute_is_the_same_in_every_encoding(syntax: str, sign: int) -> None:
    """Quick readers and pydicom agree on all attributes that are read."""
    dataset = water(
        SeriesDate="20200229",
        SeriesTime="100001.5",
        AcquisitionDateTime="20200229100000.25",
        PatientSex="F",
        PatientAge="052Y",
        PatientSize="1.68",
        PatientWeight="71.5",
        ContrastBolusAgent="none",
        ContrastBolusAgentSequence=Items([Dataset()]),
        PatientPosition="HFS",
        StationName="MR2",
        DeviceSerialNumber="45123",
        AcquisitionNumber=3,
        TemporalPositionIdentifier=2,
        ImagesInAcquisition=12,
        StackID="2",
        NumberOfFrames=1,
        PixelRepresentation=sign,
        RescaleIntercept="-2",
        RescaleSlope="1.50",
        RescaleType="US",
        LossyImageCompression="00",
        ModalityLUTSequence=Items([]),
    )
    dataset.add_new(0x00280120, "SS" if sign else "US", -7 if sign else 7)
    dataset.add_new(0x00280121, "SS" if sign else "US", -3 if sign else 65_535)
    philips_scale(0.1)(dataset, 0)
    expected = tags_of(encoded(dataset))
    of_image = {keyword for tag, keyword in KEYWORDS.items() if tag >> 16 > 2}
    assert of_image <= {*expected}
    assert unsigned_texts(tags_of(encoded(dataset, syntax))) == unsigned_texts(expected)


def unsigned_texts(tags: dict[str, Any]) -> dict[str, str]:
    """Return values as text, 16-bit integers without the sign that PixelRepresentation gives."""
    return {k: str(v % 65_536 if isinstance(v, int) else v) for k, v in tags.items()}


def test_an_enhanced_file_gives_one_slice_per_frame() -> None:
    file = enhanced_file(SCAN, [("W", "WATER"), ("F", "FAT"), ("opp", "FAT_FRACTION")])
    slices = slices_of(file)
    assert [(s.frame, s.contrast, s.position_mm[2]) for s in slices] == [
        (0, Contrast.WATER, 0),
        (1, Contrast.FAT, 0),
        (3, Contrast.WATER, -6),
        (4, Contrast.FAT, -6),
    ]
    acquired = slice_of(water(AcquisitionTime="100000.25")).acquired
    assert {s.acquired for s in slices} == {acquired}
    assert {s.spacing_mm for s in slices} == {(4.0, 4.0)}


def test_values_of_a_frame_replace_the_shared_ones() -> None:
    def change(frame: Dataset, number: int) -> None:
        measures = Dataset()
        measures.PixelSpacing = ["2", "3"]
        frame.PixelMeasuresSequence = Items([measures])

    assert slices_of(enhanced_file(SCAN, [("W", "WATER")], change))[0].spacing_mm == (2.0, 3.0)


def test_an_enhanced_file_of_one_frame_is_read() -> None:
    (image,) = slices_of(enhanced_file(Scan(slices=1), [("F", "FAT")]))
    assert (image.frame, image.contrast) == (0, Contrast.FAT)


def test_a_converted_enhanced_file_is_classified_by_its_description() -> None:
    file = enhanced_file(SCAN, [("W", "WATER")])
    dataset = dataset_of(file)
    dataset.SOPClassUID = LEGACY_ENHANCED_MR_IMAGE
    dataset.SeriesDescription = "Dixon_W"
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.MRImageFrameTypeSequence
    assert [s.contrast for s in slices_of(File("a.dcm", encoded(dataset)))] == [Contrast.WATER] * 2


def dataset_of(file: File) -> Dataset:
    dataset = pydicom.dcmread(io.BytesIO(file.content))
    return Dataset(dataset)


def test_an_endless_deflated_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.headers.deflated.MAX_FILE_BYTES", 2**16)
    dataset = water()
    dataset.add_new(0x00191008, "OB", bytes(2**20))
    assert code(File("image.dcm", encoded(dataset, DEFLATED))) == "DICOM_UNREADABLE"


def test_an_enhanced_file_with_more_groups_than_frames_is_refused() -> None:
    dataset = dataset_of(enhanced_file(SCAN, [("W", "WATER")]))
    dataset.NumberOfFrames = 1
    assert code_of(dataset) == "DICOM_UNREADABLE"


def test_files_that_are_not_mr_images_are_skipped() -> None:
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", "2.25.1"
    report.Modality, report.SeriesInstanceUID = "SR", "2.25.2"
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "2.25.1"
    directory.FileSetID = "STUDY"
    directory.DirectoryRecordSequence = Items([Dataset()])
    del directory.SOPClassUID
    screen = water(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", ImagePositionPatient=None)
    files = [
        File("report.dcm", encoded(report)),
        File("screen.dcm", encoded(screen)),
        File("manifest.csv", b"filename,..."),
        File("empty", b""),
        File("ct.dcm", encoded(water(Modality="CT"))),
        *Scan(slices=1).files(("W",)),
    ]
    assert len(slices_of(*files)) == 1


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_media_directory_is_skipped(syntax: str) -> None:
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "2.25.1"
    assert slices_of(File("DICOMDIR", encoded(directory, syntax))) == []


def test_bad_headers_of_unused_series_are_ignored() -> None:
    localizer = water(
        ImageType=["ORIGINAL", "PRIMARY", "M"],
        SeriesDescription="localizer",
        ImagePositionPatient=None,
        PixelSpacing=None,
        PhotometricInterpretation="RGB",
    )
    assert slices_of(File("image.dcm", encoded(localizer))) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"DICM", bytes(4000), bytes(128) + b"DICM", bytes(128) + b"DICM" + b"\xee" * 999],
    ids=["empty", "tiny", "zeros", "magic alone", "junk"],
)
def test_a_dcm_file_that_is_not_dicom_is_refused(content: bytes) -> None:
    assert code(File("IMAGE.DCM", content)) == "DICOM_UNREADABLE"


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_truncated_header_is_refused(syntax: str, share: float) -> None:
    header = encoded(water(), syntax)[: -48 * 40 * 2]
    cut = header[: 132 + int(share * (len(header) - 132))]
    assert code(File("image.dcm", cut)) in ("DICOM_UNREADABLE", "GEOMETRY_UNREADABLE")


def test_a_deflate_bomb_is_inflated_only_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.headers.deflated.MAX_FILE_BYTES", 2**18)
    dataset = water()
    dataset.add_new(0x00291008, "OB", bytes(2**22))
    bomb = File("image.dcm", encoded(dataset, DEFLATED))
    assert len(bomb.content) < 2**14
    tracemalloc.start()
    try:
        (image,) = slices_of(bomb)
        with pytest.raises(MimirError, match="DICOM_UNREADABLE"):
            image.entry.read(-1)
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


def test_headers_of_any_length_are_read() -> None:
    dataset = water()
    dataset.ImageComments = "x" * 9000
    dataset.add_new(0x00191008, "OB", bytes(60_000))
    assert slice_of(dataset).rows == 48
