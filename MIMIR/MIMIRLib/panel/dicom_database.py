"""Slicer's DICOM database: the open one, and a new one where Slicer itself would make it."""

from __future__ import annotations

import os
from pathlib import Path

import qt
import slicer

from MIMIRLib.errors import mimir_error
from MIMIRLib.translate import tr as _

#: CTK's name for the file of a DICOM database.
DATABASE_FILE = "ctkDICOM.sql"


def database_file() -> str:
    """Return the DICOM database's file; empty while it is not open."""
    database = slicer.dicomDatabase
    return database.databaseFilename if database is not None and database.isOpen else ""


def new_database_folder() -> str:
    """Return where a new database would be made; empty while one is open.

    This is the folder of Slicer's settings. If it holds a database that could not be opened, for
    example of an older Slicer, that one stays as it is, and the new folder gets a number.
    """
    if database_file():
        return ""
    folder = str(qt.QSettings().value(slicer.dicomDatabaseDirectorySettingsKey) or "")
    if not folder:
        documents = qt.QStandardPaths.writableLocation(qt.QStandardPaths.DocumentsLocation)
        folder = os.path.join(documents, f"{slicer.app.applicationName}DICOMDatabase")
    number, numbered = 2, folder
    while (Path(numbered) / DATABASE_FILE).exists():
        numbered, number = f"{folder}-{number}", number + 1
    return numbered


def create_database(folder: str) -> None:
    """Make an empty DICOM database, open it, and keep its folder in Slicer's settings.

    Raises:
        MimirError: ``DATABASE_NOT_CREATED``.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_created(folder, error.strerror or str(error)) from error
    slicer.dicomDatabase.openDatabase(f"{Path(folder).as_posix()}/{DATABASE_FILE}")
    if not slicer.dicomDatabase.isOpen:
        raise _not_created(folder, slicer.dicomDatabase.lastError)
    qt.QSettings().setValue(slicer.dicomDatabaseDirectorySettingsKey, folder)
    browser = getattr(slicer.modules, "DICOMInstance", None)
    browser = getattr(browser, "browserWidget", None)
    if browser is not None:  # the module DICOM was opened before
        browser.setDatabaseDirectory(folder)


def _not_created(folder: str, reason: str) -> Exception:
    return mimir_error(
        "DATABASE_NOT_CREATED",
        _("Slicer's DICOM database could not be made in folder '{folder}' ({reason})").format(
            folder=folder, reason=reason or _("unknown reason")
        ),
        _("Choose a folder that you may write to in the module DICOM."),
    )
