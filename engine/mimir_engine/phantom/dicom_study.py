"""Write a phantom as a zip of DICOM files, in the form of UK Biobank field 20201.

Six stations, each with in-phase, opposed-phase, fat and water series (``Dixon_noBH_*``,
``Dixon_BH_17s_*``), and a manifest. The headers say that the study is synthetic. Beside it lie its
truth and, if it is asked for, the map of its true labels.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage, generate_uid

from mimir_engine.files.atomic import atomic_file, output_errors
from mimir_engine.files.json_file import write_json
from mimir_engine.headers.contrast import Contrast
from mimir_engine.phantom.body import TRUTHS
from mimir_engine.phantom.dicom_series import UID_ROOT, SeriesEncoder, decimal
from mimir_engine.phantom.label_map import label_scan, label_truths, write_labels
from mimir_engine.phantom.label_map.truth import LABEL_UNITS
from mimir_engine.phantom.population import MALE
from mimir_engine.phantom.scan import Scan, all_contrasts, make_scan
from mimir_engine.phantom.scanner import COLUMNS_X_MM, PIXEL_MM, ROWS_Y_MM, ScannedStation
from mimir_engine.phantom.smooth_body.truth import DIRECT_TRUTHS

#: Participant number of seed 0; seven digits for all seeds below four million, then up to ten.
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


def study_name(seed: int, repeat: int = 0) -> str:
    """Return the name of the phantom's study, without suffix: ``<eid>_20201_<instance>_0``."""
    return f"{FIRST_EID + seed}_20201_{2 + repeat}_0"


def write_study(
    path: Path,
    seed: int,
    contrasts: Sequence[str] = ALL_CONTRASTS,
    population: int = 2,
    shift: str = "none",
    size: float = 1.0,
    repeat: int = 0,
    labels: bool = False,
) -> dict[str, float]:
    """Write the study of the phantom with this seed, and ``<name>.truth.json`` beside it.

    The truth is written last, so that it lies only beside a study that is complete.

    Args:
        path: The zip; ``study_name(seed, repeat) + ".zip"`` is a name in UK Biobank's form.
        seed: Seed of the phantom; see ``mimir_engine.phantom.population``.
        contrasts: Series to write (values of ``Contrast``); measurements need water and fat only.
        population: 1 or 2; see ``mimir_engine.phantom``.
        shift: Name of the difference from usual; see ``mimir_engine.phantom.shift``.
        size: Size of that difference.
        repeat: Number of the scan of this body.
        labels: Also write ``<name>.labels.nii.gz``, the true labels on the grid of ``fuse``.

    Returns:
        The truth, by the names in ``mimir_engine.phantom.body.TRUTHS``.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``, ``OUTPUT_UNWRITABLE``; for labels ``EXTRA_MISSING`` without
            nibabel.
    """
    scan = make_scan(seed, population, shift, size, repeat)
    with output_errors(truth_path(path)):
        truth_path(path).unlink(missing_ok=True)
    _write_archive(path, scan, contrasts)
    truth, direct = scan.truths()
    note = {
        "phantom": "synthetic, not a person",
        "seed": seed,
        "truth": truth,
        "units": TRUTHS,
        **({"direct": direct, "direct_units": DIRECT_TRUTHS} if direct else {}),
        **(_write_labels(labels_path(path), scan) if labels else {}),
        **({"population": population} if population != 1 else {}),
        **({"shift": shift, "size": size} if shift != "none" else {}),
    }
    write_json(truth_path(path), note)
    return truth


def truth_path(path: Path) -> Path:
    """Return the path of a study's truth."""
    return path.with_name(path.stem + ".truth.json")


def labels_path(path: Path) -> Path:
    """Return the path of a study's label map."""
    return path.with_name(path.stem + ".labels.nii.gz")


def _write_labels(path: Path, scan: Scan) -> dict[str, object]:
    """Write the label map of a scan, and return what the truth says of it."""
    found = label_scan(scan)
    write_labels(path, found)
    return {"labels": label_truths(found), "label_units": LABEL_UNITS}


def _write_archive(path: Path, scan: Scan, contrasts: Sequence[str]) -> None:
    wanted = [contrast for contrast in SERIES if contrast.value in contrasts]
    # One thread compresses while this one renders.
    with (
        atomic_file(path) as file,
        zipfile.ZipFile(file, "w") as archive,
        ThreadPoolExecutor(1) as writer,
    ):
        manifest = [",".join(_MANIFEST_COLUMNS)]
        written: list[Future[None]] = []
        for station in scan.stations:
            volumes = all_contrasts(*scan.render(station))
            for done in written:
                done.result()
            written = []
            for contrast in wanted:
                series = _Series(scan, station, contrast)
                for name, content in series.files(volumes[contrast]):
                    written.append(writer.submit(_write, archive, name, content))
                    manifest.append(series.manifest_row(name, len(content)))
        for done in written:
            done.result()
        archive.writestr(_entry("manifest.csv"), "\n".join(manifest) + "\n")


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(_entry(name), content, compresslevel=DEFLATE_LEVEL)


_MANIFEST_COLUMNS = (
    *("filename", "patientid", "studyid", "seriesid", "date", "modality", "seriesnumber"),
    *("series description", "uncompressed size (in bytes)"),
)


@dataclass(frozen=True)
class _Series:
    """One contrast of one station."""

    scan: Scan
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
        return str(generate_uid(UID_ROOT, ["/".join(map(str, (*self.scan.identity, *what)))]))

    def files(self, volume: np.ndarray) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each slice's file from uint16 ``[slice, row, column]``."""
        encoder = SeriesEncoder(self._header(volume.shape[1:]))
        x, y = COLUMNS_X_MM[0], ROWS_Y_MM[self.station.first_row]
        for k, (z, pixels) in enumerate(zip(self.station.z, volume)):
            uid = self.uid("image", self.number, k)
            yield f"{uid}.dcm", encoder.file(uid, k + 1, (x, y, z), pixels)

    def manifest_row(self, name: str, size: int) -> str:
        """Format the manifest's row of a file."""
        uids = self.uid("study"), self.uid("series", self.number)
        cells = (
            name,
            _patient_id(self.scan.seed),
            *uids,
            DATE,
            "MR",
            self.number,
            self.description,
            size,
        )
        return ",".join(map(str, cells))

    def _header(self, shape: tuple[int, ...]) -> Dataset:
        """Create the elements that all slices of the series share."""
        person = self.scan.person
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
        header.PatientName = f"Phantom^{self.scan.seed}"
        header.PatientID = _patient_id(self.scan.seed)
        header.PatientSex = "M" if person.sex == MALE else "F"
        header.PatientSize = f"{person.height / 1000:.3f}"
        header.SliceThickness = decimal(self.station.spacing_z)
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
        header.PixelSpacing = [decimal(PIXEL_MM), decimal(PIXEL_MM)]
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit = 15
        header.PixelRepresentation = 0
        return header


def _patient_id(seed: int) -> str:
    return f"PHANTOM{seed:07d}"


def _time(second: int) -> str:
    """Format seconds since midnight as HHMMSS.ffffff."""
    return f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}.000000"


def _entry(name: str) -> zipfile.ZipInfo:
    """Create an archive entry that is the same in every run."""
    entry = zipfile.ZipInfo(name, (2020, 2, 29, 10, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
