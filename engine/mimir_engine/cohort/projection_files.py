"""Keep the projection of each study of a run, as a picture that shows it without loss.

``projections/<name>-<hash>.png`` in the output folder: 256 x 256 pixels whose red, green and blue
are water, fat and fat fraction, some 110 KB. Readers write them; a failed study has none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mimir_engine.cohort.output_files import PROJECTIONS_FOLDER
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.file_names import HASH_DIGITS, distinct_file_name
from mimir_engine.files.leftovers import sweep_leftovers
from mimir_engine.files.png import read_png, write_png
from mimir_engine.projection.project import IMAGE_SIZE

_OUR_NAME = re.compile(rf".+-[0-9a-f]{{{HASH_DIGITS}}}\.png", re.DOTALL)


class ProjectionFiles:
    """The projections of an output folder.

    Args:
        output: The output folder; the folder of the projections need not exist.
    """

    def __init__(self, output: Path) -> None:
        self._folder = (output / PROJECTIONS_FOLDER).absolute()

    def path(self, name: str) -> Path:
        """Return the file of a study: no other study has the same, whatever it is called."""
        return self._folder / f"{distinct_file_name(name)}.png"

    def has(self, name: str) -> bool:
        """Return whether a study's file is there; it was complete when it appeared."""
        return os.path.isfile(self.path(name))

    def read(self, name: str) -> np.ndarray:
        """Read the projection of a study, as `read_projection_picture`."""
        return read_projection_picture(self.path(name))

    def remove(self, names: Iterable[str]) -> None:
        """Remove the files of studies, where they have any.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        with output_errors(self._folder):
            for name in names:
                self.path(name).unlink(missing_ok=True)

    def remove_all(self) -> None:
        """Remove all projections, and the folder if nothing else is in it.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        if not self._folder.is_dir():
            return
        self.sweep()
        with output_errors(self._folder):
            for name in os.listdir(self._folder):
                if _OUR_NAME.fullmatch(name):
                    (self._folder / name).unlink()
        with suppress(OSError):
            self._folder.rmdir()

    def sweep(self) -> None:
        """Remove what killed readers left half written."""
        sweep_leftovers(self._folder)


def write_projection_picture(path: Path, image: np.ndarray) -> None:
    """Write a projection, uint8 ``(3, 256, 256)``, as a picture.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_png(path, np.moveaxis(image, 0, -1))


def read_projection_picture(path: Path) -> np.ndarray:
    """Read the projection that was written: uint8 ``(3, 256, 256)``, without any change.

    Raises:
        MimirError: ``PROJECTION_UNREADABLE``.
    """
    try:
        picture = read_png(path, IMAGE_SIZE, IMAGE_SIZE)
    except (OSError, ValueError) as error:
        raise MimirError(
            "PROJECTION_UNREADABLE",
            f"'{path.name}' is not the picture of a projection that MIMIR wrote, or is damaged",
            "Remove the file, then run the same command again.",
        ) from error
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))
