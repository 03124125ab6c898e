"""Open the files of a study: an archive, a folder tree, or a list of files.

Input files are untrusted. Nothing is extracted to disk, names are only shown, files are not opened
to list them, and what archives may make of memory and time is bounded (``reading_limits``).
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Union

from mimir_engine.errors import MimirError
from mimir_engine.source.entry import (
    FIRST_BYTES,
    MAX_FILE_BYTES,
    Entry,
    FileOnDisk,
    Opener,
    check_size,
    unreadable,
)
from mimir_engine.source.file_kind import (
    DICOM,
    GZIP,
    NIFTI,
    NRRD,
    OTHER,
    READABLE,
    TAR,
    FileKind,
    file_kind,
)
from mimir_engine.source.folder_files import folders_below
from mimir_engine.source.gzip_file import gzip_entry
from mimir_engine.source.hidden_files import is_hidden
from mimir_engine.source.passed_over import PassedOver
from mimir_engine.source.reading_limits import MAX_DEPTH, ReadingLimits
from mimir_engine.source.tar_archive import tar_entries
from mimir_engine.source.zip_archive import zip_entries

__all__ = [
    "FIRST_BYTES",
    "MAX_FILE_BYTES",
    "MAX_STUDY_BYTES",
    "Entry",
    "Files",
    "StudySource",
    "check_study_size",
    "open_source",
]

#: Total size in bytes of the images of one study that are read, one file after the other; UK
#: Biobank's have some 50 MB.
MAX_STUDY_BYTES = 2 * 2**30

#: An archive, a folder (searched recursively), a DICOM file, or a list of such.
StudySource = Union[str, Path, Sequence[Union[str, Path]]]


@dataclass(frozen=True)
class Files:
    """The files of a study.

    Attributes:
        entries: The files as listed; archives among them are not opened.
        passed_over: Files that cannot be looked into, and why; grows while files are read.
    """

    entries: Sequence[Entry]
    passed_over: list[PassedOver] = field(default_factory=list)
    _limits: ReadingLimits = field(default_factory=ReadingLimits)

    def with_first_bytes(self) -> Iterator[tuple[Entry, bytes]]:
        """Yield each file with its first ``FIRST_BYTES`` bytes, those in archives included.

        Archives in memory count each time, so call this once.

        Raises:
            MimirError: ``FILE_UNREADABLE``, ``STUDY_TOO_LARGE``, and where an archive is damaged
                ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``, ``ZIP_METHOD``, ``ZIP_DAMAGED``,
                ``ARCHIVE_DAMAGED``.
        """
        for entry in self.entries:
            yield from self._looked_into(entry, 0)

    def _looked_into(self, entry: Entry, depth: int) -> Iterator[tuple[Entry, bytes]]:
        """Yield a file, or the files of an archive that lies in ``depth`` others."""
        first = entry.read(FIRST_BYTES)
        kind = file_kind(entry.name, first)
        if not kind.is_archive:
            yield entry, first
        elif kind not in READABLE:
            self.passed_over.append(PassedOver(entry.shown, f"{kind.name}, which is not opened"))
        elif depth == MAX_DEPTH:
            reason = f"an archive inside {MAX_DEPTH} others, which is not opened"
            self.passed_over.append(PassedOver(entry.shown, reason))
        else:
            opener = entry.open if isinstance(entry, FileOnDisk) else self._in_memory(entry)
            for inner in _members(entry.shown, kind, opener, self._limits, self.passed_over):
                yield from self._looked_into(inner, depth + 1)

    def _in_memory(self, entry: Entry) -> Opener:
        """Read an archive that lies inside another; declared sizes are not trusted."""
        self._limits.check_left(entry.shown, entry.size)
        content = entry.read(self._limits.bytes_left + 1)
        self._limits.hold(entry.shown, len(content))
        return lambda: io.BytesIO(content)


@contextmanager
def open_source(source: StudySource) -> Iterator[Files]:
    """List the files of a study; they can be read until the context ends.

    Raises:
        MimirError: ``SOURCE_MISSING``, ``FILE_UNREADABLE``, ``STUDY_TOO_LARGE``,
            ``ARCHIVE_UNSUPPORTED``, ``ARCHIVE_DAMAGED``, ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``.
    """
    if not isinstance(source, (str, Path)):
        yield _listed(map(str, source))
        return
    path = str(source)
    if not _exists(path):
        raise MimirError("SOURCE_MISSING", "the file or folder does not exist", "Check the path.")
    if os.path.isdir(path):
        yield _listed([path])
        return
    entry = _file_entry(path)
    kind = file_kind(entry.name, entry.read(FIRST_BYTES))
    if kind is DICOM:
        yield Files([entry])
        return
    with entry.open() as file:
        yield _archive_files(entry.name, kind, file)


def check_study_size(entries: Iterable[Entry]) -> None:
    """Refuse to read images that are too large, alone or together.

    Raises:
        MimirError: ``FILE_TOO_LARGE``, ``STUDY_TOO_LARGE``.
    """
    total = 0
    for entry in entries:
        check_size(entry.name, entry.size)
        total += entry.size
    if total > MAX_STUDY_BYTES:
        raise MimirError(
            "STUDY_TOO_LARGE",
            f"the water and fat images have {total / 2**30:.1f} GB; the limit is"
            f" {MAX_STUDY_BYTES // 2**30} GB",
            "Give one study at a time.",
        )


def _exists(path: str) -> bool:
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        is_missing = isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError))
        if is_missing and not os.path.islink(path):
            return False
        raise unreadable(path, error) from error
    return True


def _listed(paths: Iterable[str]) -> Files:
    """List files, and all files of folders."""
    files, limits = [], ReadingLimits()
    for path in paths:
        for file in _files_below(path) if os.path.isdir(path) else (path,):
            if not is_hidden(os.path.basename(file)):
                limits.count(1)
                files.append(_file_entry(file))
    return Files(files, _limits=limits)


def _files_below(root: str) -> Iterator[str]:
    for folder in folders_below(root):
        if folder.error is not None:
            raise unreadable(folder.path, folder.error) from folder.error
        for name in folder.files:
            yield os.path.join(folder.path, name)


def _file_entry(path: str) -> FileOnDisk:
    name = os.path.basename(path)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device could block forever
            raise OSError("it is not a regular file")
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error

    def read(count: int) -> bytes:
        if count < 0:
            check_size(name, status.st_size)
        try:
            with open(path, "rb") as file:
                return file.read(count)
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from error

    return FileOnDisk(name, status.st_size, read, path)


def _archive_files(name: str, kind: FileKind, file: IO[bytes]) -> Files:
    """List the files of a source that is one archive, and stays open."""
    if kind.is_archive and kind not in READABLE:
        raise MimirError(
            "ARCHIVE_UNSUPPORTED",
            f"'{name}' is {kind.name}, which MIMIR does not open",
            "Unpack it and give the folder, or pack the study as a zip archive.",
        )
    if not kind.is_archive and kind is not OTHER:
        raise _no_study(name, kind.name, kind in (NIFTI, NRRD))
    limits, passed_over = ReadingLimits(), list[PassedOver]()
    try:
        entries = _members(name, kind, lambda: nullcontext(file), limits, passed_over)
    except MimirError as error:
        if kind is OTHER and error.code == "NOT_A_ZIP":
            raise _no_study(name, "neither an archive nor a DICOM file") from error
        raise
    return Files(entries, passed_over, limits)


def _no_study(name: str, what: str, is_volume: bool = False) -> MimirError:
    return MimirError(
        "NOT_A_ZIP",
        f"'{name}' is {what}",
        "Give stitched volumes with --water and --fat."
        if is_volume
        else "Give an archive, a folder or a DICOM file; if it is one, download it again.",
    )


def _members(
    name: str,
    kind: FileKind,
    opened: Opener,
    limits: ReadingLimits,
    passed_over: list[PassedOver],
) -> list[Entry]:
    """List the files of an archive, hidden ones left out."""
    if kind is GZIP:
        entries = [gzip_entry(name, opened)]
    elif kind is TAR:
        entries = tar_entries(name, opened, limits, passed_over)
    else:  # a program may stand before a zip archive, so its first bytes do not always tell
        entries = zip_entries(name, opened, limits)
    visible = [entry for entry in entries if not is_hidden(entry.name)]
    limits.count(kind is GZIP)
    return visible
