"""Unpack the DICOM files of a zip archive, for import into Slicer's DICOM database."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Optional, Union

from MIMIRLib.database.import_sources import MAGIC, is_listing
from MIMIRLib.errors import mimir_error
from MIMIRLib.job import Progress
from MIMIRLib.translate import tr as _

#: Error numbers of a full disk and of a full quota (which Windows does not have).
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def unpack(
    archive: Union[str, Path], folder: Union[str, Path]
) -> Generator[Optional[Progress], None, int]:
    """Unpack the DICOM files of a zip archive, one file per step.

    Names in the archive are never used: the files are called ``000001.dcm`` and so on. Other
    files, such as manifests, are skipped. After an error, or if the generator is closed early, no
    files remain.

    Args:
        archive: A zip archive, as UK Biobank delivers a study.
        folder: An existing folder, preferably empty.

    Yields:
        The progress.

    Returns:
        Number of files that are not DICOM, apart from lists of the archive's files.

    Raises:
        MimirError: ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``, ``ZIP_METHOD``, ``ZIP_DAMAGED``,
            ``ARCHIVE_DAMAGED``, ``ARCHIVE_UNSUPPORTED``, ``FILE_TOO_LARGE``, ``STUDY_TOO_LARGE``,
            ``SOURCE_MISSING``, ``FILE_UNREADABLE``, ``NO_DICOM``, ``DISK_FULL``,
            ``FOLDER_UNWRITABLE``.
    """
    from mimir_engine.source.open_source import open_source

    archive, folder = Path(archive), Path(folder)
    written: list[Path] = []
    total = done = others = 0
    sentence = _("Unpacking {name}").format(name=archive.name)
    try:
        with open_source(archive) as files:
            total = sum(entry.size for entry in files.entries)
            if shutil.disk_usage(folder).free < total:
                raise OSError(errno.ENOSPC, "the disk is full")
            for entry, first in files.with_first_bytes():
                if first[MAGIC] == b"DICM":
                    written.append(folder / f"{len(written) + 1:06d}.dcm")
                    written[-1].write_bytes(entry.read(-1))
                elif not is_listing(entry.name):
                    others += 1
                done += entry.size
                yield Progress(min(done / total, 1.0) if total else 1.0, sentence)
        if not written:
            raise mimir_error(
                "NO_DICOM",
                _("the archive '{name}' contains no DICOM files").format(name=archive.name),
                _("Choose the archive of an imaging study."),
            )
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, total, error) from error
        raise
    return others


def _unwritable(folder: Path, size: int, error: OSError) -> Exception:
    if error.errno in _FULL:
        return mimir_error(
            "DISK_FULL",
            _("there is too little disk space for {size:.0f} MB in folder '{folder}'").format(
                size=size / 1e6, folder=folder
            ),
            _(
                "Free disk space, or choose another folder for temporary files in Slicer's"
                " application settings."
            ),
        )
    return mimir_error(
        "FOLDER_UNWRITABLE",
        _("folder '{folder}' cannot be written to ({reason})").format(
            folder=folder, reason=error.strerror or error
        ),
        _("Choose another folder for temporary files in Slicer's application settings."),
    )
