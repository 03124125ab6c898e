"""Write a phantom as a zip of DICOM files, in the form of UK Biobank field 20201.

Six stations, each with in-phase, opposed-phase, fat and water series (``Dixon_noBH_*``,
``Dixon_BH_17s_*``), and a manifest. The headers say that the study is synthetic.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.json_file import write_json
from mimir_engine.headers.contrast import Contrast
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import TRUTHS, Body
from mimir_engine.phantom.population import MALE, draw_person
from mimir_engine.phantom.render_station import render_station
from mimir_engine.phantom.scanner import (
    COLUMNS_X_MM,
    PIXEL_MM,
    ROWS_Y_MM,
    ScannedStation,
    draw_stations,
)

#: Root of UIDs made from UUIDs or hashes (ITU-T X.667), which need no registration.
UID_ROOT = "2.25."
#: Participant number of seed 0; seven digits for all seeds below four million.
FIRST_EID = 6_000_000
DATE, FIRST_SECOND, SECONDS_PER_STATION = "20200229", 36_000, 25
#: Series of one station in the order of their numbers: suffix of the name, end of ImageType.
SERIES = {
    Contrast.IN_PHASE: ("in", "IN_PHASE"),
    Contrast.OPPOSED_PHASE: ("opp", "OPP_PHASE"),
    Contrast.FAT: ("F", "FAT"),
    Contrast.WATER: ("W", "WATER"),
}
ALL_CONTRASTS = tuple(contrast.value for contrast in Contrast)
#: Higher levels cost seconds and hardly compress noise better.
DEFLATE_LEVEL = 1


def study_name(seed: int) -> str:
    """Return the name of the phantom's study, without suffix: ``<eid>_20201_2_0``."""
    return f"{FIRST_EID + seed}_20201_2_0"


def write_study(
    path: Path, seed: int, contrasts: Sequence[str] = ALL_CONTRASTS
) -> dict[str, float]:
    """Write the study of the phantom with this seed, and ``<name>.truth.json`` beside it.

    Args:
        path: The zip; ``study_name(seed) + ".zip"`` is a name in UK Biobank's form.
        seed: Seed of the phantom; see ``mimir_engine.phantom.population``.
        contrasts: Series to write (values of ``Contrast``); measurements need water and fat only.

    Returns:
        The truth, by the names in ``mimir_engine.phantom.body.TRUTHS``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    wanted = [contrast for contrast in SERIES if contrast.value in contrasts]
    body = build_body(draw_person(seed))
    manifest = [",".join(_MANIFEST_COLUMNS)]
    with atomic_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for station in draw_stations(seed):
            volumes = _contrasts(*render_station(body, station, seed))
            for contrast in wanted:
                series = _Series(seed, body, station, contrast)
                for name, content in series.files(volumes[contrast]):
                    archive.writestr(_entry(name), content, compresslevel=DEFLATE_LEVEL)
                    manifest.append(series.manifest_row(name, len(content)))
        archive.writestr(_entry("manifest.csv"), "\n".join(manifest) + "\n")
    truth = body.truth()
    note = {"phantom": "synthetic, not a person", "seed": seed, "truth": truth, "units": TRUTHS}
    write_json(path.with_name(path.stem + ".truth.json"), note)
    return truth


_MANIFEST_COLUMNS = (
    *("filename", "patientid", "studyid", "seriesid", "date", "modality", "seriesnumber"),
    *("series description", "uncompressed size (in bytes)"),
)


@dataclass(frozen=True)
class _Series:
    """One contrast of one station."""

    seed: int
    body: Body
    station: ScannedStation
    contrast: Contrast

    @property
    def number(self) -> int:
        """Series number; 1 is the localizer."""
        return 2 + self.station.index * len(SERIES) + list(SERIES).index(self.contrast)

    @property
    def description(self) -> str:
        held = "Dixon_BH_17s" if self.station.breath_hold else "Dixon_noBH"
        return f"{held}_{SERIES[self.contrast][0]}"

    def uid(self, *what: object) -> str:
        """Create a UID, the same in every run."""
        return str(
            generate_uid(UID_ROOT, ["/".join(map(str, ("mimir phantom", self.seed, *what)))])
        )

    def files(self, volume: np.ndarray) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each slice's file from uint16 ``[slice, row, column]``."""
        shared = _encoded(self._header(volume.shape[1:]))
        x, y = COLUMNS_X_MM[0], ROWS_Y_MM[self.station.first_row]
        for k, (z, pixels) in enumerate(zip(self.station.z, volume)):
            uid = self.uid("image", self.number, k)
            own = Dataset()
            own.SOPInstanceUID = uid
            own.InstanceNumber = k + 1
            own.ImagePositionPatient = [_decimal(x), _decimal(y), _decimal(z)]
            own.SliceLocation = _decimal(z)
            own.add_new("PixelData", "OW", pixels.astype("<u2").tobytes())
            elements = {**shared, **_encoded(own)}
            yield f"{uid}.dcm", _preamble(uid) + b"".join(elements[tag] for tag in sorted(elements))

    def manifest_row(self, name: str, size: int) -> str:
        """Format the manifest's row of a file."""
        uids = self.uid("study"), self.uid("series", self.number)
        cells = name, _patient_id(self.seed), *uids, DATE, "MR", self.number, self.description, size
        return ",".join(map(str, cells))

    def _header(self, shape: tuple[int, ...]) -> Dataset:
        """Create the elements that all slices of the series share."""
        person = self.body.person
        second = FIRST_SECOND + SECONDS_PER_STATION * self.station.index
        header = Dataset()
        header.SpecificCharacterSet = "ISO_IR 100"
        header.ImageType = ["DERIVED", "PRIMARY", "DIXON", SERIES[self.contrast][1]]
        header.SOPClassUID = MRImageStorage
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = DATE
        header.StudyTime = _time(FIRST_SECOND)
        header.SeriesTime = header.AcquisitionTime = _time(second)
        header.AccessionNumber = ""
        header.Modality = "MR"
        header.Manufacturer = "SIEMENS"
        header.ManufacturerModelName = "MIMIR phantom (synthetic)"
        header.StudyDescription = "MIMIR phantom: synthetic, not a person"
        header.SeriesDescription = self.description
        header.PatientName = f"Phantom^{self.seed}"
        header.PatientID = _patient_id(self.seed)
        header.PatientSex = "M" if person.sex == MALE else "F"
        header.PatientSize = f"{person.height / 1000:.3f}"
        header.SliceThickness = _decimal(self.station.spacing_z)
        header.MagneticFieldStrength = "1.5"
        header.StudyInstanceUID = self.uid("study")
        header.SeriesInstanceUID = self.uid("series", self.number)
        header.SeriesNumber = self.number
        header.AcquisitionNumber = 1
        header.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        header.FrameOfReferenceUID = self.uid("frame of reference")
        header.SamplesPerPixel = 1
        header.PhotometricInterpretation = "MONOCHROME2"
        header.Rows, header.Columns = shape
        header.PixelSpacing = [_decimal(PIXEL_MM), _decimal(PIXEL_MM)]
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit = 15
        header.PixelRepresentation = 0
        return header


def _contrasts(water: np.ndarray, fat: np.ndarray) -> dict[Contrast, np.ndarray]:
    """Compute all four contrasts as a two-point Dixon reconstruction relates them."""
    return {
        Contrast.WATER: water,
        Contrast.FAT: fat,
        Contrast.IN_PHASE: water + fat,
        Contrast.OPPOSED_PHASE: np.where(water > fat, water - fat, fat - water),
    }


def _patient_id(seed: int) -> str:
    return f"PHANTOM{seed:07d}"


def _decimal(value: float) -> str:
    """Format a decimal string of at most 16 characters."""
    return f"{float(value):.10g}"


def _time(second: int) -> str:
    """Format seconds since midnight as HHMMSS.ffffff."""
    return f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}.000000"


def _entry(name: str) -> zipfile.ZipInfo:
    """Create an archive entry that is the same in every run."""
    entry = zipfile.ZipInfo(name, (2020, 2, 29, 10, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _encoded(dataset: Dataset) -> dict[int, bytes]:
    """Encode each element of a data set in explicit little endian."""
    return {int(element.tag): _little_endian(write_data_element, element) for element in dataset}


def _preamble(uid: str) -> bytes:
    """Encode preamble and file meta information of an image."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(UID_ROOT + "277440265487465716")
    return bytes(128) + b"DICM" + _little_endian(write_file_meta_info, meta)


def _little_endian(write: Callable[[DicomBytesIO, Any], None], content: Any) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write(file, content)
    return bytes(file.getvalue())
