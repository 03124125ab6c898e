"""Import folders and zip archives into Slicer's DICOM database while Slicer stays responsive."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Optional, Union

import ctk
import slicer

from MIMIRLib.database.phantom_study import make_phantom, phantom_path
from MIMIRLib.database.study_list import database_not_open
from MIMIRLib.database.unpack import unpack
from MIMIRLib.errors import error_for_user, mimir_error
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.translate import tr as _

#: Share of an archive's import that is unpacking; the rest is the database's work.
UNPACKING = 0.4
#: Share of the phantom's import that is making it.
MAKING = 0.7


class ImportJob(Job):
    """Imports folders and zip archives into Slicer's DICOM database.

    A folder is indexed in its place; the images of an archive are copied into the database's
    folder. If one source fails, the others are still imported.

    Args:
        database: An open ``ctkDICOMDatabase``.
        paths: Folders and zip archives.

    Attributes:
        failures: Sources that failed, each with its error.
        studies: Number of new studies in the database.
        images: Number of new images in the database.
    """

    def __init__(self, database: Any, paths: Sequence[Union[str, Path]]) -> None:
        super().__init__()
        self.failures: list[tuple[Path, Exception]] = []
        self.studies = self.images = 0
        self._database = database
        self._paths = [Path(path) for path in paths]

    def _summary(self) -> str:
        if self.studies:
            text = _("New in the DICOM database: {images} images; new studies: {studies}.")
        elif self.images:
            text = _("New in the DICOM database: {images} images of known studies.")
        elif self.failures:
            text = ""
        else:
            text = _("No new images were found. They may be in the database already.")
        failures = [f"{path.name}: {error}" for path, error in self.failures]
        counts = text.format(studies=self.studies, images=self.images)
        return " ".join(filter(None, [counts, *failures]))

    def _cancelled_summary(self) -> str:
        return _(
            "The import was cancelled. Images added before stay in the database; a second import of"
            " the same source adds the rest."
        )

    def _clean_up(self) -> None:
        if self.images:
            self._database.databaseChanged()  # its views do not notice what the indexer adds

    def _work(self) -> Work:
        for number, path in enumerate(self._paths):
            begin, end = number / len(self._paths), (number + 1) / len(self._paths)
            try:
                if self._database is None or not self._database.isOpen:
                    raise database_not_open()
                yield from _scaled(self._import(path), begin, end)
            except Exception as error:  # the summary shows every error
                self.failures.append((path, error_for_user(error)))

    def _import(self, path: Path) -> Work:
        if path.is_dir():
            before = self.images
            yield from self._index(path, copy=False)
            if self.images == before and any(path.glob("*.zip")):
                raise mimir_error(
                    "NO_DICOM",
                    _("the folder contains zip archives, but no new images"),
                    _("Import the archives themselves."),
                )
            return
        folder = Path(tempfile.mkdtemp(prefix="mimir-import-", dir=slicer.app.temporaryPath))
        try:
            yield from _scaled(unpack(path, folder), 0, UNPACKING)
            yield from _scaled(self._index(folder, copy=True), UNPACKING, 1)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _index(self, folder: Path, copy: bool) -> Work:
        """Let CTK's indexer read a folder; it works in its own thread."""
        percent, added = [0], []
        indexer = ctk.ctkDICOMIndexer()
        indexer.backgroundImportEnabled = True
        indexer.connect("progress(int)", lambda value: percent.append(value))
        indexer.connect("indexingComplete(int,int,int,int)", lambda *counts: added.append(counts))
        indexer.addDirectory(self._database, folder.as_posix(), copy)
        try:
            while not added:
                yield Progress(percent[-1] / 100, _("Adding images to the DICOM database"))
                yield None
        finally:
            if not added:
                if not copy:  # an archive takes seconds, and half of it would look like a study
                    indexer.cancel()
                indexer.waitForImportFinished()
            for _patients, studies, _series, images in added:
                self.studies += studies
                self.images += images


class PhantomImportJob(ImportJob):
    """Makes the phantom study and imports it into the database.

    Args:
        database: An open ``ctkDICOMDatabase``.
        folder: Its archive is kept here for the next time; by default in Slicer's cache.

    Attributes:
        archive: The phantom's zip archive.
    """

    def __init__(self, database: Any, folder: Optional[Union[str, Path]] = None) -> None:
        self.archive = phantom_path(Path(folder or slicer.app.cachePath) / "MIMIRPhantom")
        super().__init__(database, [self.archive])

    def _import(self, path: Path) -> Work:
        yield from _scaled(make_phantom(path.parent), 0, MAKING)
        yield from _scaled(super()._import(path), MAKING, 1)


def _scaled(work: Work, begin: float, end: float) -> Work:
    """Yield the progress of a part of the work as progress of all; close the part at the end."""
    with closing(work):
        for progress in work:
            if progress is None or progress.fraction is None:
                yield None
            else:
                yield Progress(begin + (end - begin) * progress.fraction, progress.sentence)
