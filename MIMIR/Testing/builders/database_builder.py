"""An SQLite file laid out like Slicer's DICOM database, filled with studies of our choice.

It has only the keys and the columns that MIMIR reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

_TABLES = """
CREATE TABLE Patients (UID INTEGER PRIMARY KEY AUTOINCREMENT, PatientsName VARCHAR(255),
    PatientID VARCHAR(255), DisplayedPatientsName VARCHAR(255));
CREATE TABLE Studies (StudyInstanceUID VARCHAR(64) PRIMARY KEY, PatientsUID INT, StudyDate DATE,
    StudyDescription VARCHAR(255));
CREATE TABLE Series (SeriesInstanceUID VARCHAR(64) PRIMARY KEY, StudyInstanceUID VARCHAR(64),
    SeriesNumber INT, SeriesDescription VARCHAR(255), Modality VARCHAR(20), DisplayedCount INT);
CREATE INDEX SeriesStudyIndex ON Series (StudyInstanceUID);
CREATE TABLE Images (SOPInstanceUID VARCHAR(64) PRIMARY KEY, SeriesInstanceUID VARCHAR(64));
CREATE INDEX ImagesSeriesIndex ON Images (SeriesInstanceUID);
"""


@dataclass(frozen=True)
class StudyRow:
    """One study; series as descriptions in the order of their numbers."""

    uid: str
    series: tuple[str, ...]
    patient_id: str = "P1"
    patient_name: str = "Doe^Jane"
    date: str = "20200229"
    description: str = "Imaging visit"
    modality: str = "MR"


def write_database(path: Path, studies: Iterable[StudyRow]) -> Path:
    """Write the database file; return its path."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_TABLES)
        patients: dict[str, int] = {}
        for study in studies:
            if study.patient_id not in patients:
                name = study.patient_name
                row = (name, study.patient_id, name.replace("^", ", "))
                cursor = connection.execute(
                    "INSERT INTO Patients (PatientsName, PatientID, DisplayedPatientsName)"
                    " VALUES (?, ?, ?)",
                    row,
                )
                patients[study.patient_id] = cursor.lastrowid
            connection.execute(
                "INSERT INTO Studies VALUES (?, ?, ?, ?)",
                (study.uid, patients[study.patient_id], study.date, study.description),
            )
            connection.executemany(
                "INSERT INTO Series VALUES (?, ?, ?, ?, ?, NULL)",
                [
                    (f"{study.uid}.{number}", study.uid, number, description, study.modality)
                    for number, description in enumerate(study.series, start=1)
                ],
            )
    return path


def cache_image_types(path: Path, images: Mapping[str, Iterable[str]]) -> None:
    """Add images to a database, and their ImageType to the file of cached tags beside it.

    Args:
        path: The database file.
        images: UID of a series to ImageType of each of its images.
    """
    cache = path.with_name("ctkDICOMTagCache.sql")
    table = "TagCache (SOPInstanceUID, Tag, Value, PRIMARY KEY (SOPInstanceUID, Tag))"
    rows = [
        (f"{series}.{number}", series, image_type)
        for series, image_types in images.items()
        for number, image_type in enumerate(image_types)
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO Images VALUES (?, ?)", [row[:2] for row in rows])
    with closing(sqlite3.connect(cache)) as connection, connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        connection.executemany(
            "INSERT INTO TagCache VALUES (?, '0008,0008', ?)", [row[::2] for row in rows]
        )


def biobank_series(
    leave_out: Iterable[str] = (),
    repeats: Mapping[str, int] = MappingProxyType({}),
    stations: int = 6,
) -> tuple[str, ...]:
    """Descriptions of a UK Biobank study's series.

    Args:
        leave_out: Series to leave out, as ``"4 W"``: station and suffix.
        repeats: Number of additional copies of a series.
        stations: Number of stations, from the neck downwards.
    """
    series = []
    for station in range(1, stations + 1):
        held = "Dixon_BH_17s" if station in (2, 3, 4) else "Dixon_noBH"
        for suffix in ("in", "opp", "F", "W"):
            key = f"{station} {suffix}"
            count = 0 if key in leave_out else 1 + repeats.get(key, 0)
            series += [f"{held}_{suffix}"] * count
    return tuple(series)
