"""Store one study's images and results in its own folder.

``origin.json``, ``water.npy`` and ``fat.npy`` are those of ``mimir_engine.fusion.fused_folder``;
beside them lie ``fat_fraction.npy``, ``projection.npy`` and ``measurements.json``. The last is
written last: a folder without it is unfinished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import safe_file_name
from mimir_engine.files.json_file import write_json
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fused_folder import (
    FAT_FILE,
    WATER_FILE,
    describe_study,
    read_description,
    write_array,
    write_description,
    write_fused,
)
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.projection.project import Projection
from mimir_engine.study import DixonStudy
from mimir_engine.study.volume import Volume

FRACTION_FILE, PROJECTION_FILE = "fat_fraction.npy", "projection.npy"
MEASUREMENTS_FILE = "measurements.json"
#: Version 2 holds measurements as the ledger does.
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class StudyFolder:
    """One study's result; its images are read when asked for.

    Attributes:
        path: The folder.
        result: Measurements and findings.
        projection_name: Name of the projection that made the image.
        description: The study that the volumes were fused from, as plain JSON.
        affine: ``(4, 4)``, of the volumes: ``(column, row, slice, 1)`` to LPS millimetres.
    """

    path: Path
    result: StudyResult
    projection_name: str
    description: Mapping[str, Any]
    affine: np.ndarray

    @property
    def has_volumes(self) -> bool:
        """True if the fused volumes were kept."""
        return (self.path / WATER_FILE).is_file()

    def projection(self) -> np.ndarray:
        """Read uint8 ``(3, 256, 256)``: see ``mimir_engine.projection.project.Projection``."""
        return self._array(PROJECTION_FILE)

    def water(self) -> Volume:
        """Read the fused water image, float32."""
        return Volume(self._array(WATER_FILE), self.affine)

    def fat(self) -> Volume:
        """Read the fused fat image, float32."""
        return Volume(self._array(FAT_FILE), self.affine)

    def fat_fraction(self) -> Volume:
        """Read the fat fraction in percent, float32; 0 in air."""
        return Volume(self._array(FRACTION_FILE), self.affine)

    def _array(self, name: str) -> np.ndarray:
        """Map an array into memory, read-only, or raise ``DETAILS_INVALID``."""
        try:
            array: np.ndarray = np.load(self.path / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _invalid(name) from error
        return array


def read_study_folder(path: Path) -> StudyFolder:
    """Read a study's folder.

    Raises:
        MimirError: ``DETAILS_INVALID``, ``FUSED_INVALID``.
    """
    description, affine = read_description(path)
    try:
        content = json.loads((path / MEASUREMENTS_FILE).read_bytes())
        result = StudyResult.from_json(content)
        return StudyFolder(path, result, content["projection"], description, affine)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _invalid(MEASUREMENTS_FILE) from error


class StudyFolders:
    """Writes the folders of all studies of a run.

    Args:
        folder: Where those folders are made.
        volumes: Keep the fused volumes too, about 190 MB per study.
    """

    def __init__(self, folder: Path, volumes: bool = True) -> None:
        self._folder, self._volumes = folder, volumes

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments, as JSON values, for another process."""
        return {"folder": str(self._folder.absolute()), "volumes": self._volumes}

    def path(self, name: str) -> Path:
        """Return the folder of a study."""
        return (self._folder / safe_file_name(name)).absolute()

    def has(self, name: str) -> bool:
        """Return whether a study's folder is complete."""
        return (self.path(name) / MEASUREMENTS_FILE).is_file()

    def write_images(self, study: DixonStudy, fused: FusedVolumes, projection: Projection) -> None:
        """Write a study's images; several threads may do so at once.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        folder = self.path(study.name)
        if self._volumes:
            write_fused(folder, describe_study(study), fused.water, fused.fat)
            write_array(folder / FRACTION_FILE, fat_fraction_map(fused).array)
        else:
            write_description(folder, describe_study(study), fused.water.affine)
        write_array(folder / PROJECTION_FILE, projection.image)

    def write_result(self, result: StudyResult, projection_name: str) -> Path:
        """Write a study's result, and return its folder, which is then complete.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        folder = self.path(result.name)
        head = {"schema_version": SCHEMA_VERSION, "projection": projection_name}
        write_json(folder / MEASUREMENTS_FILE, {**head, **asdict(result)})
        return folder


def _invalid(name: str) -> MimirError:
    return MimirError(
        "DETAILS_INVALID",
        f"{name} in the study's folder cannot be read",
        "Measure the study again.",
    )
