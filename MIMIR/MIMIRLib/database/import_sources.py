"""Find what an import reads: folders, and archives in them; and what it did not read."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from MIMIRLib.database.read_only import open_read_only
from MIMIRLib.job import Progress
from MIMIRLib.translate import tr as _

#: Place of the letters DICM in a DICOM file (PS3.10, 7.1).
MAGIC = slice(128, 132)
ARCHIVE = ".zip"


@dataclass(frozen=True)
class Rejected:
    """Files that an import did not read.

    Attributes:
        others: Number of files that are not DICOM.
        damaged: Number of DICOM files that the database refused.
    """

    others: int = 0
    damaged: int = 0

    def __add__(self, more: Rejected) -> Rejected:
        """Return both together."""
        return Rejected(self.others + more.others, self.damaged + more.damaged)


def import_sources(paths: Iterable[Union[str, Path]]) -> list[Path]:
    """Return what is imported one by one: archives, also those in folders, and folders.

    A folder that contains only archives is not imported itself.
    """
    sources = []
    for path in map(Path, paths):
        if not path.is_dir():
            sources.append(path)
            continue
        files = sorted(files_below(path))
        archives = [file for file in files if is_archive(file)]
        if len(archives) < len(files) or not files:
            sources.append(path)
        sources += archives
    return list(dict.fromkeys(sources))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders; hidden ones and lists of files not."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and not is_listing(name):
                yield Path(place) / name


def is_archive(path: Path) -> bool:
    """Return whether a file has the name of a zip archive."""
    return path.suffix.lower() == ARCHIVE


def is_listing(name: str) -> bool:
    """Return whether a file, by its name, lists the files of an archive or a disc."""
    last = name.replace("\\", "/").split("/")[-1].lower()
    return last == "dicomdir" or last.startswith("manifest.")


def rejected_files(
    files: Sequence[Path], database_file: Union[str, Path]
) -> Generator[Optional[Progress], None, Rejected]:
    """Find which files the database lacks after their import; archives are left out.

    Only files that it does not list by their path are opened: an image that it has from another
    place is not rejected.

    Yields:
        The progress.
    """
    rejected = Rejected()
    known_files, known_images = _known(database_file)
    left = [f for f in files if not is_archive(f) and os.path.abspath(f) not in known_files]
    for number, path in enumerate(left):
        yield Progress(number / len(left), _("Looking for files that were not read"))
        rejected += _judge(path, known_images)
    return rejected


def _judge(path: Path, known_images: frozenset[str]) -> Rejected:
    import pydicom

    with suppress(OSError):
        with path.open("rb") as file:
            if file.read(MAGIC.stop)[MAGIC] != b"DICM":
                return Rejected(others=1)
        with suppress(Exception):  # a damaged file may raise anything
            header = pydicom.dcmread(path, specific_tags=["SOPInstanceUID"])
            if str(header.SOPInstanceUID) in known_images:
                return Rejected()
    return Rejected(damaged=1)


def _known(database_file: Union[str, Path]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the paths and UIDs of the database's images."""
    with open_read_only(Path(database_file)) as connection:
        rows = connection.execute("SELECT SOPInstanceUID, Filename FROM Images").fetchall()
    paths = (os.path.abspath(str(path)) for _uid, path in rows if path)
    return frozenset(paths), frozenset(str(uid) for uid, _path in rows)
