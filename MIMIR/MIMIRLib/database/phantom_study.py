"""Make the phantom study of the tutorial: a synthetic body as a zip archive of DICOM files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Union

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.engine.process import EngineProcess
from MIMIRLib.job import Progress, Work
from MIMIRLib.translate import tr as _

#: Seed of the phantom, whose body is of ordinary size; the included module has not seen it. Earlier
#: versions made seed 0, and their archive may still be there: its body is unusual to the module.
SEED = 5
#: Size of its archive (bytes), to compute the progress of writing it.
ARCHIVE_BYTES = 48e6


def phantom_path(folder: Union[str, Path]) -> Path:
    """Return the path of the phantom's archive in a folder."""
    import_engine()
    from mimir_engine.phantom.dicom_study import study_name

    return Path(folder) / f"{study_name(SEED)}.zip"


def study_uid_of(archive: Union[str, Path]) -> str:
    """Return the Study Instance UID of the first image in an archive.

    Raises:
        MimirError: If the archive cannot be read or contains no image.
    """
    import_engine()
    from mimir_engine.headers.frames import read_frames
    from mimir_engine.source.open_source import open_source

    with open_source(archive) as files:
        frames = (
            frame
            for entry, first in files.with_first_bytes()
            for frame in read_frames(entry, first)
        )
        return next(str(frame.tags["StudyInstanceUID"]) for frame in frames)


def make_phantom(folder: Union[str, Path]) -> Work:
    """Make the phantom's archive in the engine's process (about two seconds); keep an existing one.

    Closing the generator ends the process and removes an unfinished archive.

    Args:
        folder: Made if it does not exist.

    Yields:
        The progress, and None while the process works; nothing blocks.

    Raises:
        MimirError: The engine's error, ``ENGINE_DIED``, ``ENGINE_NOT_STARTED``.
        EngineUnavailable: ``ENGINE_MISSING``.
    """
    import_engine()
    from mimir_engine.files.folder_lock import folder_lock

    archive = phantom_path(folder)
    if not archive.exists():  # removed by somebody; the engine would go by the file beside it
        with suppress(OSError):
            archive.with_suffix(".truth.json").unlink(missing_ok=True)
    arguments = ["phantom", "--output", str(folder), "--seed", str(SEED)]
    fraction = 0.0
    try:
        with EngineProcess(arguments) as process:
            while process.is_running:
                fraction = max(fraction, min(_bytes_written(Path(folder)) / ARCHIVE_BYTES, 1.0))
                yield Progress(fraction, _("Making the phantom"))
                yield None
            if process.exit_code != 0:
                raise process.failure()
    finally:
        with suppress(Exception), folder_lock(Path(folder)):
            pass  # what the process has left behind is removed


def _bytes_written(folder: Path) -> int:
    """Return the size of the unfinished archive."""
    from mimir_engine.files.leftovers import PREFIX, SUFFIX

    size = 0
    with suppress(OSError):  # not there yet, or no longer
        for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
            size = max(size, path.stat().st_size)
    return size
