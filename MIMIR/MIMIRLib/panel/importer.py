"""Folders and zip archives into Slicer's DICOM database, while Slicer stays usable."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Optional, Union

import ctk
import slicer
from slicer.i18n import tr as _

from MIMIRLib.database.importing import unpack
from MIMIRLib.database.phantom_study import make_phantom, phantom_path
from MIMIRLib.engine.import_engine import import_engine, problem_sentence
from MIMIRLib.signal import Signal

#: How long (seconds) one step may take, so that Slicer stays fluent.
STEP_S = 0.03
#: Pause (seconds) between steps where nobody else's timer makes them.
PAUSE_S = 0.01
#: How much of importing an archive is unpacking it; the rest is the database's work.
UNPACKING = 0.4
#: How much of importing the phantom is making it.
MAKING = 0.7


class ImportState(Enum):
    """How far an import is."""

    IDLE = "idle"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class ImportProgress:
    """How much is done.

    Attributes:
        fraction: 0 to 1.
        sentence: What is being done.
        waiting: Whether others are at work, so that there is nothing to do here but wait.
    """

    fraction: float
    sentence: str
    waiting: bool = False


_Work = Generator[ImportProgress, None, None]


class DatabaseImport:
    """Takes folders and zip archives into Slicer's DICOM database.

    A folder is indexed where it lies; the images of an archive are copied into the database's
    folder. One source that fails does not hinder the others.

    >>> work = DatabaseImport(slicer.dicomDatabase, ["/data/1000001_20201_2_0.zip"])
    >>> work.run()  # or work.start(), and work.step() by a timer
    >>> print(work.summary)

    Args:
        database: An open ``ctkDICOMDatabase``.
        paths: Folders and zip archives.

    Attributes:
        progressed: Signal of an ImportProgress.
        ended: Signal without arguments; ``state`` and ``summary`` are set by then.
        failures: Sentences, one for each source that failed.
        studies, images: How many were new in the database.
    """

    def __init__(self, database: Any, paths: Sequence[Union[str, Path]]) -> None:
        self.progressed = Signal()
        self.ended = Signal()
        self.state = ImportState.IDLE
        self.progress = ImportProgress(0.0, "")
        self.failures: list[str] = []
        self.studies = self.images = 0
        self._database = database
        self._paths = [Path(path) for path in paths]
        self._work = self._sources()
        self._is_stepping = False

    def start(self) -> None:
        """Begin; then let a timer call ``step``."""
        self.state = ImportState.RUNNING

    def step(self) -> None:
        """Do a little. What listens to ``progressed`` may let Slicer's event loop run."""
        if self.state is not ImportState.RUNNING or self._is_stepping:
            return
        self._is_stepping = True
        try:
            self._go_on()
        finally:
            self._is_stepping = False

    def run(self) -> None:
        """Import and wait for it, the event loop alive."""
        self.start()
        while self.state is ImportState.RUNNING:
            self.step()
            slicer.app.processEvents()
            time.sleep(PAUSE_S)

    def cancel(self) -> None:
        """Stop. What was added until now stays in the database, as in Slicer's own import.

        An archive that is just being added is added as a whole, which takes a few seconds.
        """
        if self.state is ImportState.RUNNING:
            self.state = ImportState.CANCELLED
            self._work.close()
            self._end()

    @property
    def summary(self) -> str:
        """What came of it, in a sentence or two."""
        if self.state is ImportState.CANCELLED:
            return _(
                "The import was cancelled. What had been added stays in the database; importing"
                " the same again completes it."
            )
        if self.studies:
            said = _("New in the DICOM database: {images} images; new studies: {studies}.")
        elif self.images:
            said = _("New in the DICOM database: {images} images of studies that it held already.")
        elif self.failures:
            said = ""
        else:
            said = _("Nothing new was found: the images are in the database, or there are none.")
        counted = said.format(studies=self.studies, images=self.images)
        return " ".join(filter(None, [counted, *self.failures]))

    def _go_on(self) -> None:
        deadline = time.monotonic() + STEP_S
        try:
            while time.monotonic() < deadline:
                self.progress = next(self._work)
                if self.progress.waiting:
                    break
        except StopIteration:
            self.state = ImportState.ENDED
            self._end()
        else:
            self.progressed.emit(self.progress)

    def _end(self) -> None:
        if self.images:
            self._database.databaseChanged()  # its views do not notice what the indexer adds
        self.ended.emit()

    def _sources(self) -> _Work:
        """One source after the other; what is wrong with one is said and the next one taken."""
        for number, path in enumerate(self._paths):
            begin, end = number / len(self._paths), (number + 1) / len(self._paths)
            try:
                self._check_open()
                yield from _part(self._source(path), begin, end)
            except Exception as error:  # the edge: whatever is wrong becomes a sentence
                self.failures.append(f"{path.name}: {problem_sentence(error)}")

    def _check_open(self) -> None:
        if self._database is None or not self._database.isOpen:
            raise import_engine().MimirError(
                "DATABASE_UNREADABLE",
                "Slicer's DICOM database is not open",
                "Open the module DICOM and choose or make a database there.",
            )

    def _source(self, path: Path) -> _Work:
        if path.is_dir():
            yield from self._folder(path)
            return
        staged = Path(tempfile.mkdtemp(prefix="mimir-import-", dir=slicer.app.temporaryPath))
        try:
            yield from _part(self._unpack(path, staged), 0, UNPACKING)
            yield from _part(self._index(staged, copy=True), UNPACKING, 1)
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def _folder(self, path: Path) -> _Work:
        before = self.images
        yield from self._index(path, copy=False)
        if self.images == before and any(path.glob("*.zip")):
            raise import_engine().MimirError(
                "NO_DICOM",
                "nothing new was found in the folder, but it holds zip archives",
                "Import the archives themselves.",
            )

    def _unpack(self, path: Path, folder: Path) -> _Work:
        sentence = _("Unpacking {name}").format(name=path.name)
        with closing(unpack(path, folder)) as fractions:
            for fraction in fractions:
                yield ImportProgress(fraction, sentence)

    def _index(self, folder: Path, copy: bool) -> _Work:
        """Let CTK's indexer read a folder; it works in a thread of its own."""
        percent, added = [0], []
        indexer = ctk.ctkDICOMIndexer()
        indexer.backgroundImportEnabled = True
        indexer.connect("progress(int)", lambda value: percent.append(value))
        indexer.connect("indexingComplete(int,int,int,int)", lambda *counts: added.append(counts))
        indexer.addDirectory(self._database, folder.as_posix(), copy)
        try:
            while not added:
                sentence = _("Adding images to the DICOM database")
                yield ImportProgress(percent[-1] / 100, sentence, waiting=True)
        finally:
            if not added:
                if not copy:  # an archive takes seconds, and half a study would look like a whole
                    indexer.cancel()
                indexer.waitForImportFinished()
            for _patients, studies, _series, images in added:
                self.studies += studies
                self.images += images


class PhantomImport(DatabaseImport):
    """Makes the phantom study and takes it into the database.

    Args:
        database: An open ``ctkDICOMDatabase``.
        folder: Where its archive is kept for the next time; by default Slicer's cache.

    Attributes:
        archive: The phantom's zip archive.
    """

    def __init__(self, database: Any, folder: Optional[Union[str, Path]] = None) -> None:
        self._place = Path(folder or slicer.app.cachePath) / "MIMIRPhantom"
        self.archive = phantom_path(self._place)
        super().__init__(database, [self.archive])

    def _source(self, path: Path) -> _Work:
        yield from _part(self._make(), 0, MAKING)
        yield from _part(super()._source(path), MAKING, 1)

    def _make(self) -> _Work:
        sentence = _("Making the phantom")
        with closing(make_phantom(self._place)) as fractions:
            for fraction in fractions:
                yield ImportProgress(fraction, sentence, waiting=True)


def _part(work: _Work, begin: float, end: float) -> _Work:
    """The progress of one piece of work as part of the whole; closed, it closes the work."""
    with closing(work):
        for progress in work:
            fraction = begin + (end - begin) * progress.fraction
            yield ImportProgress(fraction, progress.sentence, progress.waiting)
