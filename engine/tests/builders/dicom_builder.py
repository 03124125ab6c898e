"""Build small Dixon studies for tests: stations of some 48 x 40 pixels, in the form of real ones.

Pixels are computed by sums and products alone, so they are the same under every NumPy.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR_IMAGE, ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
LEGACY_ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.4"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
#: Contrasts by Siemens' suffix, with the fourth value of ImageType.
IMAGE_TYPES = {"in": "IN_PHASE", "opp": "OPP_PHASE", "F": "FAT", "W": "WATER"}

Change = Callable[[Dataset, int], None]


class File(NamedTuple):
    """A file of a study."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Scan:
    """One scan of one table position, all contrasts at the same time.

    Attributes:
        top_mm: z of the uppermost slice; the others lie below it.
        pixel_mm: Distance of rows, distance of columns.
        first_mm: x and y of the first pixel.
        number: Series number of the first contrast.
    """

    top_mm: float = 0.0
    slices: int = 12
    step_mm: float = 6.0
    shape: tuple[int, int] = (48, 40)
    pixel_mm: tuple[float, float] = (4.0, 4.0)
    first_mm: tuple[float, float] = (-78.0, -94.0)
    number: int = 1
    date: str = "20200229"
    time: str = "100000"

    @property
    def z_mm(self) -> list[float]:
        """z of the slices, from the head down."""
        return [round(self.top_mm - k * self.step_mm, 6) for k in range(self.slices)]

    def files(
        self,
        contrasts: Sequence[str] = ("F", "W"),
        change: Optional[Change] = None,
        leave_out: Iterable[int] = (),
        syntax: str = EXPLICIT,
    ) -> list[File]:
        """Return a DICOM file for each slice of each contrast.

        Args:
            contrasts: Suffixes, in the order of their series numbers.
            change: Called with each data set and its slice (0 at the head) before it is encoded.
            leave_out: Slices to leave out.
            syntax: Transfer syntax.
        """
        return [
            _file(self, suffix, k, series, syntax)
            if change is None
            else self.file(suffix, k, series, syntax, change)
            for series, suffix in enumerate(contrasts)
            for k in sorted({*range(self.slices)} - {*leave_out})
        ]

    def file(
        self, suffix: str, k: int, series: int, syntax: str, change: Optional[Change] = None
    ) -> File:
        """Return the file of one slice; ``series`` is added to the series number."""
        dataset = self.dataset(suffix, k, series)
        if change:
            change(dataset, k)
        name = f"{self.number + series:03d}_{suffix}_{self.time}_{k:03d}.dcm"
        return File(name, encoded(dataset, syntax))

    def dataset(self, suffix: str, k: int, series: int = 0) -> Dataset:
        """Return the header and pixels of one slice."""
        series_key = [suffix, str(self.number), self.time, self.date]
        dataset = Dataset()
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.ImageType = ["DERIVED", "PRIMARY", "DIXON", IMAGE_TYPES[suffix]]
        dataset.SOPClassUID = MR_IMAGE
        dataset.SOPInstanceUID = generate_uid("2.25.", [*series_key, str(k)])
        dataset.StudyDate = dataset.AcquisitionDate = self.date
        dataset.AcquisitionTime = self.time
        dataset.Modality = "MR"
        dataset.Manufacturer = "SIEMENS"
        dataset.ManufacturerModelName = "Aera"
        dataset.SeriesDescription = f"Dixon_noBH_{suffix}"
        dataset.PatientName = "Nobody^At all"
        dataset.PatientID = "someone"
        dataset.MagneticFieldStrength = "1.5"
        dataset.StudyInstanceUID = "2.25.7"
        dataset.SeriesInstanceUID = generate_uid("2.25.", series_key)
        dataset.SeriesNumber = self.number + series
        dataset.InstanceNumber = k + 1
        x, y = self.first_mm
        dataset.ImagePositionPatient = [_decimal(x), _decimal(y), _decimal(self.z_mm[k])]
        dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.PixelSpacing = [_decimal(mm) for mm in self.pixel_mm]
        set_pixels(dataset, self.pixels(suffix, k))
        return dataset

    def pixels(self, suffix: str, k: int) -> np.ndarray:
        """Return one slice, uint16: a trunk of water with a rim of fat, in air with weak noise."""
        rows, columns = np.indices(self.shape)
        x = self.first_mm[0] + columns * self.pixel_mm[1]
        y = self.first_mm[1] + rows * self.pixel_mm[0]
        radius = x * x / 3600 + y * y / 6400
        texture = (rows * 7 + columns * 13 + k * 5) % 31
        fat = np.select([radius > 1, radius > 0.7], [texture % 5, 600 + texture], 40 + texture)
        water = np.select(
            [radius > 1, radius > 0.7], [texture % 7, 30 + texture], 400 + 9 * texture
        )
        image = {"W": water, "F": fat, "in": water + fat, "opp": abs(water - fat)}[suffix]
        return np.asarray(image, np.uint16)


@lru_cache(maxsize=5000)
def _file(scan: Scan, suffix: str, k: int, series: int, syntax: str) -> File:
    """Call ``Scan.file``; cached, since most tests use the same unchanged slices."""
    return scan.file(suffix, k, series, syntax)


def complete_study() -> tuple[Scan, ...]:
    """Return three stations that overlap by 24 and 18 mm."""
    return (
        Scan(top_mm=0.0, slices=20, step_mm=3.0, number=2, time="100000"),
        Scan(top_mm=-36.0, slices=14, step_mm=4.5, number=6, time="100030", shape=(46, 40)),
        Scan(top_mm=-81.0, slices=16, step_mm=4.0, number=10, time="100100"),
    )


def set_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    """Set pixels (one slice, or ``[frame, row, column]``) and their attributes."""
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if pixels.itemsize > 1 else "OB"


def encoded(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    """Return a DICOM file of this data set, the same under pydicom 2 and 3."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = "2.25.90210"
    head, body = DicomBytesIO(), DicomBytesIO()
    head.is_little_endian, head.is_implicit_VR = True, False
    head.write(bytes(128) + b"DICM")
    write_file_meta_info(head, meta)
    body.is_little_endian, body.is_implicit_VR = syntax != BIG_ENDIAN, syntax == IMPLICIT
    write_dataset(body, dataset)
    content = bytes(body.getvalue())
    if syntax == DEFLATED:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = deflater.compress(content) + deflater.flush()
    return bytes(head.getvalue()) + content


def overwritten(content: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a text by one that a DICOM library might not write."""
    assert old in content
    return content.replace(old, new.ljust(len(old)))


def compressed(dataset: Dataset, syntax: str) -> bytes:
    """Return a DICOM file of this data set, its pixels compressed by pydicom."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if pydicom.__version__ < "3":
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.compress(syntax)
    return encoded(dataset, syntax)


def enhanced_file(
    scan: Scan,
    frame_types: Sequence[tuple[str, str]],
    change: Optional[Change] = None,
    syntax: str = EXPLICIT,
) -> File:
    """Return one enhanced multi-frame file of a station with mixed contrasts, as Philips writes it.

    Args:
        scan: The station.
        frame_types: For each contrast, the suffix of its pixels and the fourth value of FrameType.
        change: Called with the functional groups of each frame and its number.
        syntax: Transfer syntax.
    """
    dataset = scan.dataset(frame_types[0][0], 0)
    dataset.SOPClassUID = ENHANCED_MR_IMAGE
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "DIXON", "MIXED"]
    dataset.SeriesDescription = "mDIXON"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(dataset, keyword)
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    measures.PixelSpacing = [_decimal(mm) for mm in scan.pixel_mm]
    shared.PlaneOrientationSequence = Items([orientation])
    shared.PixelMeasuresSequence = Items([measures])
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    frames, pixels = [], []
    for k, z in enumerate(scan.z_mm):
        for suffix, frame_type in frame_types:
            frame, kind, position, content = Dataset(), Dataset(), Dataset(), Dataset()
            kind.FrameType = ["ORIGINAL", "PRIMARY", "DIXON", frame_type]
            position.ImagePositionPatient = [*map(_decimal, scan.first_mm), _decimal(z)]
            content.FrameAcquisitionDateTime = f"{scan.date}{scan.time}.25"
            frame.MRImageFrameTypeSequence = Items([kind])
            frame.PlanePositionSequence = Items([position])
            frame.FrameContentSequence = Items([content])
            if change:
                change(frame, len(frames))
            frames.append(frame)
            pixels.append(scan.pixels(suffix, k))
    dataset.PerFrameFunctionalGroupsSequence = Items(frames)
    dataset.NumberOfFrames = len(frames)
    set_pixels(dataset, np.stack(pixels))
    return File(f"enhanced_{scan.number}.dcm", encoded(dataset, syntax))


def write_zip(path: Path, files: Iterable[File], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write files to a zip archive; return its path."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in files:
            archive.writestr(file.name, file.content)
    return path


def write_files(folder: Path, files: Iterable[File]) -> list[Path]:
    """Write files to a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file in files:
        paths.append(folder / file.name)
        paths[-1].write_bytes(file.content)
    return paths


def all_files(scans: Iterable[Scan]) -> Iterator[File]:
    """Yield water and fat of several stations."""
    for scan in scans:
        yield from scan.files()


def _decimal(value: float) -> str:
    return f"{float(value):.10g}"
