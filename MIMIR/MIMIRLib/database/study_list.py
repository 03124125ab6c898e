"""List the Dixon studies of Slicer's DICOM database with one query.

Where a series' name does not tell its contrast, ImageType of some of its images may. The database
is an SQLite file with the tables of CTK's ``dicom-schema.sql``. The columns used here are the same
in Slicer 5.6 to 5.12.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Callable, Optional, Union

from MIMIRLib.database.completeness import (
    Completeness,
    Series,
    SeriesKind,
    judge,
    kind_of,
    kinds_of,
    name_decides,
)
from MIMIRLib.database.image_types import CachedImageTypes
from MIMIRLib.database.read_only import open_read_only
from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _


@dataclass(frozen=True)
class StudyEntry:
    """One study of the database with signs of a Dixon scan.

    Attributes:
        patient_name: As in Slicer's DICOM browser. For the screen only.
        study_date: ``YYYY-MM-DD``, or the database's text if it is not a DICOM date.
        stations: Table positions with water and fat, repeats counted too.
        reason: Why it is not complete; for a complete study, its number of stations.
        series_uids: Its Dixon series of any contrast, in the order of their numbers.
        images: Number of their images, as far as the database has counted them.
    """

    study_uid: str
    patient_id: str
    patient_name: str
    study_date: str
    study_description: str
    completeness: Completeness
    stations: int
    reason: str
    series_uids: tuple[str, ...]
    images: int = 0


def list_studies(database_file: Union[str, Path]) -> list[StudyEntry]:
    """Return all studies with signs of a Dixon scan, by patient and date.

    Args:
        database_file: ``slicer.dicomDatabase.databaseFilename``; only read.

    Raises:
        MimirError: ``DATABASE_UNREADABLE``.
    """
    return _read(database_file, "", ())


def find_study(database_file: Union[str, Path], study_uid: str) -> Optional[StudyEntry]:
    """Return one study by its UID; None if it is absent or shows no sign of a Dixon scan.

    Raises:
        MimirError: ``DATABASE_UNREADABLE``.
    """
    found = _read(database_file, "AND Studies.StudyInstanceUID = ?", (study_uid,))
    return found[0] if found else None


def database_not_open() -> Exception:
    """Return the exception for a DICOM database that is not open."""
    return _unreadable(
        _("Slicer's DICOM database is not open"),
        _("Open the module DICOM and choose or create a database there."),
    )


Row = tuple[str, ...]

#: One row per series. Series without modality are included, since some anonymisers remove it.
_QUERY = """
SELECT Studies.StudyInstanceUID, Patients.PatientID,
       COALESCE(NULLIF(Patients.DisplayedPatientsName, ''), Patients.PatientsName),
       Studies.StudyDate, Studies.StudyDescription,
       Series.SeriesInstanceUID, Series.SeriesDescription, Series.SeriesNumber,
       Series.DisplayedCount
FROM Series
JOIN Studies ON Studies.StudyInstanceUID = Series.StudyInstanceUID
JOIN Patients ON Patients.UID = Studies.PatientsUID
WHERE COALESCE(Series.Modality, '') IN ('MR', '') {condition}
ORDER BY Patients.PatientID, Studies.StudyDate, Studies.StudyInstanceUID,
         Series.SeriesNumber, Series.SeriesInstanceUID
"""


def _read(
    database_file: Union[str, Path], condition: str, values: tuple[str, ...]
) -> list[StudyEntry]:
    path = Path(database_file)
    if not str(database_file) or not path.is_file():
        raise database_not_open()
    query = _QUERY.format(condition=condition)
    try:
        with open_read_only(path) as connection:
            found = connection.execute(query, values).fetchall()
            rows = [tuple(str(value or "") for value in row) for row in found]
            return list(_entries(rows, CachedImageTypes(connection, path)))
    except sqlite3.Error as error:
        raise _unreadable(*_explained(error)) from error


def _explained(error: sqlite3.Error) -> tuple[str, str]:
    """Return an error of SQLite in words, and what to do."""
    message = str(error)
    if "locked" in message or "busy" in message:
        return (
            _("Slicer's DICOM database is in use, for example by an import"),
            _("Wait until that ends and refresh the list."),
        )
    if "no such" in message or "not a database" in message:
        return (
            _("the file of Slicer's DICOM database has an unknown layout ({error})").format(
                error=message
            ),
            _("Open the module DICOM, which updates it, or choose another database there."),
        )
    return (
        _("Slicer's DICOM database cannot be read ({error})").format(error=message),
        _("Check that you may read its folder, or choose another database in the module DICOM."),
    )


def _unreadable(what: str, remedy: str) -> Exception:
    return mimir_error("DATABASE_UNREADABLE", what, remedy)


def _entries(
    rows: Iterable[Row], image_types: Callable[[str], tuple[str, ...]]
) -> Iterator[StudyEntry]:
    kind, decides = cache(kind_of), cache(name_decides)  # many series share a description
    for study_uid, group in groupby(rows, key=itemgetter(0)):
        study = list(group)
        series = [
            Series(
                uid,
                text,
                (kind(text),) if decides(text) else kinds_of(text, image_types(uid)),
                number=int(number) if number.lstrip("-").isdecimal() else None,
            )
            for *_study, uid, text, number, _count in study
        ]
        verdict = judge(series)
        if verdict is not None:
            _uid, patient_id, patient_name, date, description, *_series = study[0]
            dixon = [
                (one.uid, int(row[-1] or 0))
                for one, row in zip(series, study)
                if SeriesKind.OTHER not in one.kinds
            ]
            yield StudyEntry(
                study_uid,
                patient_id,
                patient_name,
                iso_date(date),
                description,
                verdict.completeness,
                verdict.stations,
                verdict.reason,
                tuple(uid for uid, _count in dixon),
                sum(count for _uid, count in dixon),
            )


def iso_date(date: str) -> str:
    """Return DICOM's ``YYYYMMDD`` as ``YYYY-MM-DD``, other text unchanged."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date
