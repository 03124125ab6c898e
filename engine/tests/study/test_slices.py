"""Headers in every encoding become the same slices, and bad ones are refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
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
    overwritten,
)
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from station_builder import code, headers_of, slice_of, slices_of

from mimir_engine.errors import MimirError
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


def test_headers_of_any_length_are_read() -> None:
    dataset = water()
    dataset.ImageComments = "x" * 9000
    dataset.add_new(0x00191008, "OB", bytes(60_000))
    assert slice_of(dataset).position_mm[2] == -6


def test_in_phase_and_opposed_phase_are_kept_apart_from_water_and_fat() -> None:
    headers = headers_of(*SCAN.files(("in", "opp", "F", "W")))
    assert [s.contrast for s in headers.slices] == [Contrast.FAT] * 2 + [Contrast.WATER] * 2
    assert {c.series.contrast for c in headers.companions} == {
        Contrast.IN_PHASE,
        Contrast.OPPOSED_PHASE,
    }


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
    import io

    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(file.content))
    return Dataset(dataset)


def test_an_endless_deflated_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.study.deflated.MAX_FILE_BYTES", 2**16)
    dataset = water()
    dataset.add_new(0x00191008, "OB", bytes(2**20))
    assert code(File("image.dcm", encoded(dataset, DEFLATED))) == "DICOM_UNREADABLE"


def test_an_enhanced_file_with_more_groups_than_frames_is_refused() -> None:
    dataset = dataset_of(enhanced_file(SCAN, [("W", "WATER")]))
    dataset.NumberOfFrames = 1
    assert code_of(dataset) == "DICOM_UNREADABLE"


# ------------------------------------------------------------------ skipped


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


# ------------------------------------------------------------------ refused


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
    monkeypatch.setattr("mimir_engine.study.deflated.MAX_FILE_BYTES", 2**18)
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
