"""Measure how soon a thousand studies are listed: `make bench-slicer SLICER=/path/to/Slicer`.

A DICOM database of Slicer's own making is filled with the rows of a thousand neck-to-knee Dixon
studies of 24 series each; then the panel lists them. What is asked: all of them under 2 s, and no
moment at which Slicer doesn't answer. A timer of 20 ms tells how long it didn't.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import qt
import slicer

from MIMIRLib.panel.dicom_database import database_file
from MIMIRLib.slicer_tests.phantom_database import temporary_database, wait_until

STUDIES, STATIONS = 1000, 6
CONTRASTS = ("in", "opp", "F", "W")
TICK_MS = 20
WANTED_S = 2.0


def series_rows(study: int) -> Iterator[tuple[str, str, str]]:
    """UID, study's UID and description of each series of a study."""
    number = 0
    for station in range(STATIONS):
        for contrast in CONTRASTS:
            number += 1
            name = f"Dixon_BH_17s_{station}_{contrast}" if station else f"Dixon_noBH_{contrast}"
            yield f"2.25.{study + 1}.{number}", f"2.25.{study + 1}", name


def fill_database() -> None:
    """Add the studies to Slicer's database, behind its back."""
    with closing(sqlite3.connect(database_file())) as connection, connection:
        connection.executemany(
            "INSERT INTO Patients (UID, PatientsName, PatientID, InsertTimestamp)"
            " VALUES (?, ?, ?, '')",
            [(n + 1, f"Phantom^{n}", f"P{n}") for n in range(STUDIES)],
        )
        connection.executemany(
            "INSERT INTO Studies (StudyInstanceUID, PatientsUID, StudyDate, InsertTimestamp)"
            " VALUES (?, ?, '2020-02-29', '')",
            [(f"2.25.{n + 1}", n + 1) for n in range(STUDIES)],
        )
        connection.executemany(
            "INSERT INTO Series (SeriesInstanceUID, StudyInstanceUID, SeriesDescription, Modality,"
            " InsertTimestamp) VALUES (?, ?, ?, 'MR', '')",
            [row for n in range(STUDIES) for row in series_rows(n)],
        )


def list_studies() -> tuple[float, float]:
    """Seconds until all are shown in the panel, and the longest gap (seconds) between ticks."""
    module = slicer.util.getModuleWidget("MIMIR")
    slicer.util.selectModule("MIMIR")
    slicer.app.processEvents()
    ticks = [time.perf_counter()]
    timer = qt.QTimer()
    timer.setTimerType(qt.Qt.PreciseTimer)
    timer.setInterval(TICK_MS)
    timer.connect("timeout()", lambda: ticks.append(time.perf_counter()))
    timer.start()
    begun = time.perf_counter()
    module.presenter.refresh_studies()
    wait_until(lambda: module.view.ui.studiesView.model().rowCount() == STUDIES)
    shown = time.perf_counter()
    timer.stop()
    ticks.append(shown)
    return shown - begun, max(later - earlier for earlier, later in zip(ticks, ticks[1:]))


def main() -> bool:
    """Run it, report it; whether it is as quick as wanted."""
    with temporary_database():
        fill_database()
        seconds, gap = list_studies()
    is_quick = seconds < WANTED_S
    print(f"{STUDIES} studies of {STATIONS * len(CONTRASTS)} series listed in {seconds:.2f} s")
    print(f"wanted: under {WANTED_S:g} s: {'met' if is_quick else 'MISSED'}")
    print(f"longest time without an answer: {1000 * gap:.0f} ms")
    return is_quick


if __name__ == "__main__":
    status = 1
    try:
        status = 0 if main() else 1
    finally:  # Slicer would stay open
        sys.stdout.flush()
        slicer.app.exit(status)
