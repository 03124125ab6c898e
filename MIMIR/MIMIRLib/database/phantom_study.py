"""The phantom study of the tutorial: a synthetic body as a zip of DICOM files."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Union

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess

#: Which phantom: its body is of ordinary size.
SEED = 0
#: Size of its archive (bytes), to tell how much of it is written.
ARCHIVE_BYTES = 48e6


def phantom_path(folder: Union[str, Path]) -> Path:
    """Where the phantom's archive lies, or will lie, in a folder."""
    import_engine()
    from mimir_engine.phantom.dicom_study import study_name

    return Path(folder) / f"{study_name(SEED)}.zip"


def study_uid_of(archive: Union[str, Path]) -> str:
    """The Study Instance UID of the first image in an archive.

    Raises:
        MimirError: Where the archive cannot be read or holds no image.
    """
    import_engine()
    from mimir_engine.study.frames import read_frames
    from mimir_engine.study.source import open_source

    with open_source(archive) as entries:
        return next(str(f.tags["StudyInstanceUID"]) for e in entries for f in read_frames(e))


def make_phantom(folder: Union[str, Path]) -> Generator[float, None, None]:
    """Make the phantom's archive in the engine's process, some ten seconds; what is there is kept.

    Closing the generator ends the process and leaves no half archive.

    Args:
        folder: It is made if need be.

    Yields:
        The part that is done, 0 to 1, whenever asked; nothing blocks.

    Raises:
        MimirError: whatever the engine says, ``ENGINE_DIED``.
        EngineUnavailable: ``ENGINE_MISSING``.
    """
    archive = phantom_path(folder)
    partial = archive.with_name(archive.name + ".part")
    process = EngineProcess(["phantom", "--output", str(folder), "--seed", str(SEED)])
    process.start()
    fraction = 0.0
    try:
        while process.is_running:
            fraction = max(fraction, min(_size(partial) / ARCHIVE_BYTES, 1.0))
            yield fraction
        if process.exit_code != 0:
            raise _failed(process.error)
    finally:
        process.cancel()
        with suppress(OSError):
            partial.unlink()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # not there yet, or no longer
        return 0


def _failed(error: str) -> Exception:
    from mimir_engine import MimirError

    code, _, reason = error.partition(": ")
    if reason:
        return MimirError(code, reason.rstrip("."))
    return MimirError(
        "ENGINE_DIED",
        "the engine ended unexpectedly while it made the phantom",
        "Try again; if it happens again, please report it with Slicer's log.",
    )
