"""Files that a DICOMDIR lists and that are absent are missed, if they belong to the scan."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_builder import EXPLICIT, IMPLICIT, File, complete_study, encoded
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from station_builder import entry_of

from mimir_engine.errors import MimirError
from mimir_engine.headers.dicomdir import read_dicomdir
from mimir_engine.study import read_study


def disc(folder: Path, syntax: str = EXPLICIT) -> list[Path]:
    """Write a patient's disc: one folder per series, and a DICOMDIR that lists every image."""
    records, paths = [Dataset()], []
    records[0].DirectoryRecordType = "PATIENT"
    for scan in complete_study():
        for number, file in enumerate(scan.files()):
            series = file.name.split("_")[0]
            path = folder / "DICOM" / f"SER{series}" / f"IMG{number:03d}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            paths.append(path)
            record = Dataset()
            record.DirectoryRecordType = "IMAGE"
            record.ReferencedFileID = list(path.relative_to(folder).parts)
            records.append(record)
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "2.25.1"
    directory.DirectoryRecordSequence = Items(records)
    (folder / "DICOMDIR").write_bytes(encoded(directory, syntax))
    return paths


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_complete_disc_is_read_without_findings(tmp_path: Path, syntax: str) -> None:
    disc(tmp_path, syntax)
    study = read_study(tmp_path)
    assert (len(study.stations), study.findings) == (3, ())


def test_an_image_that_is_lost_at_the_end_of_a_station_is_missed(tmp_path: Path) -> None:
    for path in disc(tmp_path):
        if path.parent.name in ("SER002", "SER003") and path.name in ("IMG000", "IMG020"):
            path.unlink()  # the uppermost slices of fat and of water
    with pytest.raises(MimirError, match="SLICE_MISSING: the DICOMDIR names 2 images"):
        read_study(tmp_path)


def test_series_that_were_not_copied_are_not_missed(tmp_path: Path) -> None:
    disc(tmp_path)
    directory = (tmp_path / "DICOMDIR").read_bytes()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "DICOMDIR").write_bytes(directory.replace(b"SER010", b"SER099"))
    (tmp_path / "DICOM").rename(copy / "DICOM")
    assert read_study(copy).findings == ()


def test_renamed_images_are_not_missed(tmp_path: Path) -> None:
    for number, path in enumerate(disc(tmp_path)):
        path.rename(path.with_name(f"renamed{number}.dcm"))
    assert read_study(tmp_path).findings == ()


def test_a_dicomdir_without_records_is_passed_over(tmp_path: Path) -> None:
    disc(tmp_path)
    meta = b"\2\0\2\0UI\x14\0" + b"1.2.840.10008.1.3.10"
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + meta)
    assert read_study(tmp_path).findings == ()


def test_paths_longer_than_a_disc_allows_are_passed_over() -> None:
    """Comparing paths of thousands of folders takes the square of their number."""
    record = Dataset()
    record.DirectoryRecordType = "IMAGE"
    record.ReferencedFileID = ["A"] * 9
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "2.25.1"
    directory.DirectoryRecordSequence = Items([record])
    content = encoded(directory)
    assert read_dicomdir(entry_of(File("DICOMDIR", content))).files == ()
    record.ReferencedFileID = ["A"] * 8
    content = encoded(directory)
    assert read_dicomdir(entry_of(File("DICOMDIR", content))).files == (("A",) * 8,)
