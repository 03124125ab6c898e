"""Series that hold all contrasts of a station, as Philips' scanners write them, count for each."""

from __future__ import annotations

import tempfile
from pathlib import Path

import slicer

from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_list import StudyEntry, find_study
from MIMIRLib.panel.dicom_database import database_file
from MIMIRLib.panel.import_job import ImportJob
from MIMIRLib.slicer_tests.phantom_database import SceneTest, phantom_entry

#: Third value of Philips' ImageType, by the end of the phantom's descriptions.
KINDS = {"in": "IP", "opp": "OP", "F": "F", "W": "W"}


class AllInOneTest(SceneTest):
    """The phantom with six series, one for each station."""

    def test_list_scan_and_dicom_module_know_all_contrasts(self) -> None:
        """The list reads the cached tags, the scan the headers, the DICOM module some files."""
        from MIMIR import MIMIRLogic
        from MIMIRDICOMPlugin import MIMIRDICOMPluginClass

        phantom = phantom_entry()
        with tempfile.TemporaryDirectory() as folder:
            study_uid = write_all_in_one(phantom, Path(folder))
            ImportJob(slicer.dicomDatabase, [folder]).run(slicer.app.processEvents)
            self.addCleanup(slicer.dicomDatabase.removeStudy, study_uid)
            entry = find_study(database_file(), study_uid)
            assert entry is not None
            assert entry.completeness is Completeness.COMPLETE, entry.reason
            assert (entry.stations, len(entry.series_uids)) == (6, 6)
            scan = MIMIRLogic().scanStudy(study_uid)
            assert (scan.reason, len(scan.stations)) == ("", 6)
            files = [slicer.dicomDatabase.filesForSeries(uid) for uid in entry.series_uids]
            offers = MIMIRDICOMPluginClass().examineForImport(files)
            assert len(offers) == 6, [offer.name for offer in offers]
            assert "6 stations" in offers[0].name


def write_all_in_one(phantom: StudyEntry, folder: Path) -> str:
    """Write the phantom as another study: with Philips' headers, one series for each station.

    Returns:
        Its Study Instance UID.
    """
    import pydicom
    from pydicom.uid import generate_uid

    study_uid = generate_uid()
    series_uids = [generate_uid() for _station in range(len(phantom.series_uids) // len(KINDS))]
    for number, uid in enumerate(phantom.series_uids):
        station = number // len(KINDS)
        for index, path in enumerate(slicer.dicomDatabase.filesForSeries(uid)):
            image = pydicom.dcmread(path)
            kind = KINDS[image.SeriesDescription.rsplit("_", 1)[1]]
            image.Manufacturer = "Philips Healthcare"
            image.ImageType = ["DERIVED", "PRIMARY", kind, kind, "DERIVED"]
            image.SeriesDescription = "mDIXON-All BH"
            image.PatientID = "PHANTOM all in one"
            image.StudyInstanceUID, image.SeriesInstanceUID = study_uid, series_uids[station]
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.SeriesNumber = 401 + 100 * station
            image.save_as(folder / f"{number:02d}-{index:03d}.dcm")
    return str(study_uid)
