"""The Dixon studies of Slicer's DICOM database, found by one query.

The database is CTK's: an SQLite file whose tables are those of CTK's ``dicom-schema.sql``. The
columns used here are the same in all of Slicer 5.6 to 5.12.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Optional, Union
from urllib.parse import quote

from MIMIRLib.database.completeness import (
    Completeness,
    NamedSeries,
    SeriesKind,
    judge,
    kind_of,
)

#: How long (seconds) to wait for a database to which somebody is just writing.
PATIENCE_S = 2.0


@dataclass(frozen=True)
class StudyEntry:
    """One study of the database with signs of a Dixon scan.

    Attributes:
        patient_name: As Slicer's DICOM browser shows it. For the screen only.
        study_date: ``YYYY-MM-DD``, or whatever the database holds.
        stations: Table positions with water and fat, repeats counted too.
        reason: Why it is not complete; of a complete study how many stations it has.
        series_uids: Its Dixon series of any contrast, in the order of their numbers.
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


def list_studies(database_file: Union[str, Path]) -> list[StudyEntry]:
    """All studies with signs of a Dixon scan, by patient and date.

    Args:
        database_file: ``slicer.dicomDatabase.databaseFilename``; it is only read.

    Raises:
        MimirError: ``DATABASE_UNREADABLE``.
    """
    return _entries(_rows(database_file, "", ()))


def find_study(database_file: Union[str, Path], study_uid: str) -> Optional[StudyEntry]:
    """One study by its UID; None where it is not there or shows no sign of a Dixon scan.

    Raises:
        MimirError: ``DATABASE_UNREADABLE``.
    """
    rows = _rows(database_file, "AND Studies.StudyInstanceUID = ?", (study_uid,))
    return next(iter(_entries(rows)), None)


Row = tuple[str, ...]

#: A row a series; series without modality are let in, since some anonymisers remove it.
_QUERY = """
SELECT Studies.StudyInstanceUID, Patients.PatientID,
       COALESCE(NULLIF(Patients.DisplayedPatientsName, ''), Patients.PatientsName),
       Studies.StudyDate, Studies.StudyDescription,
       Series.SeriesInstanceUID, Series.SeriesDescription
FROM Series
JOIN Studies ON Studies.StudyInstanceUID = Series.StudyInstanceUID
JOIN Patients ON Patients.UID = Studies.PatientsUID
WHERE COALESCE(Series.Modality, '') IN ('MR', '') {condition}
ORDER BY Patients.PatientID, Studies.StudyDate, Studies.StudyInstanceUID,
         Series.SeriesNumber, Series.SeriesInstanceUID
"""


def _rows(database_file: Union[str, Path], condition: str, values: tuple[str, ...]) -> list[Row]:
    if not str(database_file) or not Path(database_file).is_file():
        raise _unreadable(
            "Slicer's DICOM database is not open",
            "Open the module DICOM and choose or make a database there.",
        )
    query = _QUERY.format(condition=condition)
    try:
        connection = sqlite3.connect(_read_only(Path(database_file)), PATIENCE_S, uri=True)
        with closing(connection):
            return [
                tuple(str(value or "") for value in row)
                for row in connection.execute(query, values)
            ]
    except sqlite3.Error as error:
        raise _unreadable(*_explained(error)) from error


def _read_only(path: Path) -> str:
    """The address by which SQLite opens a file without ever writing to it."""
    absolute = path.absolute().as_posix()
    return f"file://{'' if absolute.startswith('/') else '/'}{quote(absolute, safe='/:')}?mode=ro"


def _explained(error: sqlite3.Error) -> tuple[str, str]:
    """What an error of SQLite means here, and what to do."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return (
            "Slicer's DICOM database is in use, for example by an import",
            "Wait until that is done and refresh the list.",
        )
    if "no such" in said or "not a database" in said:
        return (
            f"the file of Slicer's DICOM database is not laid out as expected ({said})",
            "Open the module DICOM, which brings it up to date, or choose another database there.",
        )
    return (
        f"Slicer's DICOM database cannot be read ({said})",
        "Check that you may read its folder, or choose another database in the module DICOM.",
    )


def _unreadable(what: str, remedy: str) -> Exception:
    from mimir_engine import MimirError

    return MimirError("DATABASE_UNREADABLE", what, remedy)


def _entries(rows: Iterable[Row]) -> list[StudyEntry]:
    kinds: dict[str, SeriesKind] = {}
    return [
        entry
        for _, study in groupby(rows, key=lambda row: row[0])
        for entry in _entry(list(study), kinds)
    ]


def _entry(rows: list[Row], kinds: dict[str, SeriesKind]) -> Iterator[StudyEntry]:
    """The entry of one study, or none.

    Args:
        rows: Its series.
        kinds: What is known of each description, filled on: thousands of series share a few.
    """
    series = []
    for *_, uid, description in rows:
        if description not in kinds:
            kinds[description] = kind_of(description)
        series.append(NamedSeries(uid, description, kinds[description]))
    verdict = judge(series)
    if verdict is None:
        return
    study_uid, patient_id, patient_name, date, study_description, *_ = rows[0]
    yield StudyEntry(
        study_uid,
        patient_id,
        patient_name,
        _iso_date(date),
        study_description,
        verdict.completeness,
        verdict.stations,
        verdict.reason,
        tuple(one.uid for one in series if one.kind is not SeriesKind.OTHER),
    )


def _iso_date(date: str) -> str:
    """``YYYY-MM-DD`` also of DICOM's ``YYYYMMDD``."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date
