"""Import folders and zip archives into Slicer's DICOM database while Slicer stays responsive."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional, Union

import ctk
import slicer

from MIMIRLib.database.import_sources import (
    Rejected,
    files_below,
    import_sources,
    rejected_files,
)
from MIMIRLib.database.import_summary import import_summary
from MIMIRLib.database.phantom_study import make_phantom, phantom_path, study_uid_of
from MIMIRLib.database.study_list import database_not_open, list_studies
from MIMIRLib.database.unpack import unpack
from MIMIRLib.errors import error_for_user
from MIMIRLib.job import Job, Progress, Work
from MIMIRLib.job_chain import scaled
from MIMIRLib.translate import tr as _

#: Share of an archive's import that is unpacking; most of the rest is the database's work.
UNPACKING = 0.4
#: Share of a source's import after which only files that were not read are looked for.
INDEXING = 0.95
#: Share of the phantom's import that is making it.
MAKING = 0.7


class ImportJob(Job):
    """Imports folders and zip archives into Slicer's DICOM database.

    A folder is indexed in its place; the images of an archive are copied into the database's
    folder, also of those in a folder. If one source fails, the others are still imported.

    Args:
        database: An open ``ctkDICOMDatabase``.
        paths: Folders and zip archives.

    Attributes:
        failures: Sources that failed, each with its error.
        studies: Number of new studies in the database.
        dixon: Number of those with signs of a Dixon scan.
        images: Number of new images in the database.
        rejected: Files that were not read.
    """

    def __init__(self, database: Any, paths: Sequence[Union[str, Path]]) -> None:
        super().__init__()
        self.failures: list[tuple[Path, Exception]] = []
        self.studies = self.dixon = self.images = 0
        self.rejected = Rejected()
        self._database = database
        self._paths = [Path(path) for path in paths]

    def _summary(self) -> str:
        return import_summary(self.studies, self.dixon, self.images, self.rejected, self.failures)

    def _cancelled_summary(self) -> str:
        return _(
            "The import was cancelled. Images added before stay in the database; a second import of"
            " the same source adds the rest."
        )

    def _clean_up(self) -> None:
        if self.images:
            self._database.databaseChanged()  # its views do not notice what the indexer adds

    def _work(self) -> Work:
        if self._database is None or not self._database.isOpen:
            raise database_not_open()
        before = self._dixon_studies()
        sources = import_sources(self._paths)
        for number, path in enumerate(sources):
            begin, end = number / len(sources), (number + 1) / len(sources)
            try:
                yield from scaled(self._import(path), begin, end)
            except Exception as error:  # the summary shows every error
                self.failures.append((path, error_for_user(error)))
        with suppress(Exception):  # a database in use; the import itself is done
            self.dixon = len(self._dixon_studies() - before)

    def _dixon_studies(self) -> set[str]:
        return {entry.study_uid for entry in list_studies(self._database.databaseFilename)}

    def _import(self, path: Path) -> Work:
        if path.is_dir():
            yield from scaled(self._index(path, copy=False), 0, INDEXING)
            files = list(files_below(path))
            yield from self._reject(files, INDEXING)
            return
        folder = Path(tempfile.mkdtemp(prefix="mimir-import-", dir=slicer.app.temporaryPath))
        try:
            others = yield from scaled(unpack(path, folder), 0, UNPACKING)
            before, files = self.images, list(files_below(folder))
            yield from scaled(self._index(folder, copy=True), UNPACKING, INDEXING)
            self.rejected += Rejected(others=others)
            if self.images - before < len(files):
                yield from self._reject(files, INDEXING)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _reject(self, files: Sequence[Path], begin: float) -> Work:
        """Count the files that were not read."""
        looking = rejected_files(files, self._database.databaseFilename)
        self.rejected += yield from scaled(looking, begin, 1)

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

    @property
    def study_uid(self) -> str:
        """The phantom's Study Instance UID, after the import."""
        return study_uid_of(self.archive)

    def _import(self, path: Path) -> Work:
        yield from scaled(make_phantom(path.parent), 0, MAKING)
        yield from scaled(super()._import(path), MAKING, 1)
