"""A zip archive of DICOM files to a folder of them, which Slicer's DICOM database can take in."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Union

#: Where a DICOM file says that it is one (PS3.10, 7.1).
_MAGIC = slice(128, 132)
#: No room on the disk, or no more of it for this user (which Windows does not know).
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def unpack(archive: Union[str, Path], folder: Union[str, Path]) -> Generator[float, None, None]:
    """Unpack the DICOM files of a zip archive, one file a step.

    Names in the archive are never used: the files are called ``000001.dcm`` and so on. Other
    files, such as manifests, are left out. Ended early, by an error or by closing the generator,
    it leaves no files behind.

    Args:
        archive: A zip archive, as UK Biobank delivers a study.
        folder: An existing folder, best an empty one.

    Yields:
        The part that is done, 0 to 1.

    Raises:
        MimirError: ``NOT_A_ZIP``, ``ZIP_ENCRYPTED``, ``ZIP_METHOD``, ``ZIP_DAMAGED``,
            ``FILE_TOO_LARGE``, ``STUDY_TOO_LARGE``, ``SOURCE_MISSING``, ``FILE_UNREADABLE``,
            ``NO_DICOM``, ``DISK_FULL``, ``FOLDER_UNWRITABLE``.
    """
    from mimir_engine import MimirError
    from mimir_engine.study.source import open_source

    archive, folder = Path(archive), Path(folder)
    written: list[Path] = []
    total = done = 0
    try:
        with open_source(archive) as entries:
            total = sum(entry.size for entry in entries)
            _check_room(folder, total)
            for entry in entries:
                content = entry.read(-1)
                if content[_MAGIC] == b"DICM":
                    written.append(folder / f"{len(written) + 1:06d}.dcm")
                    written[-1].write_bytes(content)
                done += entry.size
                yield done / total if total else 1.0
        if not written:
            raise MimirError(
                "NO_DICOM",
                f"the archive '{archive.name}' holds no DICOM files",
                "Choose the archive of an imaging study.",
            )
    except OSError as error:
        _remove(written)
        raise _unwritable(folder, total, error) from error
    except BaseException:
        _remove(written)
        raise


def _check_room(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, "the disk is full")


def _remove(files: list[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)


def _unwritable(folder: Path, size: int, error: OSError) -> Exception:
    from mimir_engine import MimirError

    if error.errno in _FULL:
        return MimirError(
            "DISK_FULL",
            f"there is no room for {size / 1e6:.0f} MB in folder '{folder}'",
            "Make room on that disk, or choose another folder for temporary files in Slicer's"
            " application settings.",
        )
    return MimirError(
        "FOLDER_UNWRITABLE",
        f"folder '{folder}' cannot be written to ({error.strerror or error})",
        "Choose another folder for temporary files in Slicer's application settings.",
    )
