"""Store one study's images and results in its own folder.

``origin.json``, ``water.npy`` and ``fat.npy`` are those of ``mimir_engine.fusion.fused_folder``;
beside them lie ``fat_fraction.npy``, ``regions.npy`` (the parts of the body), ``projection.npy``,
``profile.csv`` (the areas along the body) and ``measurements.json``. The last is removed first and
written last: a folder without it is unfinished. It holds hashes of the images, so that images of
another study or run are noticed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.cohort.made_with import NOT_NOTED, MadeWith
from mimir_engine.direct import DirectMeasurements
from mimir_engine.errors import MimirError
from mimir_engine.files.array_file import open_array
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.file_names import distinct_file_name
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.files.json_file import from_json, to_json, write_json
from mimir_engine.files.leftovers import sweep_leftovers
from mimir_engine.files.regular_file import open_regular
from mimir_engine.files.table_reader import open_table
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

FRACTION_FILE, REGIONS_FILE, PROJECTION_FILE = "fat_fraction.npy", "regions.npy", "projection.npy"
PROFILE_FILE, MEASUREMENTS_FILE = "profile.csv", "measurements.json"
#: The large files.
VOLUME_FILES = (WATER_FILE, FAT_FILE, FRACTION_FILE, REGIONS_FILE)
#: Version 6 holds measurements of labels; folders of earlier versions are not read.
SCHEMA_VERSION = 6
#: Type and number of axes of each image.
_IMAGES = {
    WATER_FILE: (np.dtype(np.float32), 3),
    FAT_FILE: (np.dtype(np.float32), 3),
    FRACTION_FILE: (np.dtype(np.float32), 3),
    REGIONS_FILE: (np.dtype(np.uint8), 3),
    PROJECTION_FILE: (np.dtype(np.uint8), 3),
}
#: Bytes of ``measurements.json``; 30,000 measurements fit.
MAX_JSON_BYTES = 32 << 20
#: Bytes of an image that its hash covers: whole slices at equal distances, all of a projection.
HASHED_BYTES = 8 << 20


@dataclass(frozen=True)
class StudyFolder:
    """One study's result; its images are read when asked for.

    Attributes:
        path: The folder.
        result: Measurements and findings.
        projection_name: Name of the projection that made the image.
        image_sha256: Hash of each image by its file.
        description: The study that the volumes were fused from, as plain JSON.
        affine: ``(4, 4)``, of the volumes: ``(column, row, slice, 1)`` to LPS millimetres.
        made_with: What made the numbers; empty in folders of versions before 0.6.
    """

    path: Path
    result: StudyResult
    projection_name: str
    image_sha256: Mapping[str, str]
    description: Mapping[str, Any]
    affine: np.ndarray
    made_with: MadeWith = NOT_NOTED

    @property
    def has_volumes(self) -> bool:
        """True if the fused volumes were kept."""
        return WATER_FILE in self.image_sha256

    def projection(self) -> np.ndarray:
        """Read uint8 ``(3, 256, 256)``: see ``mimir_engine.projection.project.Projection``."""
        return self.array(PROJECTION_FILE)

    def water(self) -> Volume:
        """Read the fused water image, float32."""
        return Volume(self.array(WATER_FILE), self.affine)

    def fat(self) -> Volume:
        """Read the fused fat image, float32."""
        return Volume(self.array(FAT_FILE), self.affine)

    def fat_fraction(self) -> Volume:
        """Read the fat fraction in percent, float32; 0 in air."""
        return Volume(self.array(FRACTION_FILE), self.affine)

    def regions(self) -> Volume:
        """Read the parts of the body: uint8, keys of ``mimir_engine.direct.PART_NAMES``."""
        return Volume(self.array(REGIONS_FILE), self.affine)

    def profile(self) -> dict[str, list[float]]:
        """Read the areas along the body by column, or raise ``DETAILS_INVALID``."""
        try:
            with open_table(self.path / PROFILE_FILE) as table:
                rows = [
                    [table.number(cell, line, name) for name, cell in zip(table.columns, row)]
                    for line, row in table.rows
                ]
        except MimirError as error:
            raise _invalid(f"{PROFILE_FILE} in the study's folder cannot be read") from error
        return {name: list(cells) for name, cells in zip(table.columns, zip(*rows))}

    def array(self, name: str) -> np.ndarray:
        """Map an image into memory, read-only, or raise ``DETAILS_INVALID``."""
        try:
            array = _mapped(self.path / name)
            is_own = _hash(array) == self.image_sha256[name]
        except (OSError, ValueError, LookupError) as error:
            raise _invalid(f"{name} in the study's folder cannot be read") from error
        if not is_own:
            raise _invalid(f"{name} in the study's folder is not the image that was measured")
        return array


def read_study_folder(path: Path, name: Optional[str] = None) -> StudyFolder:
    """Read a study's folder.

    Args:
        path: The folder.
        name: The study that it must hold; by default any.

    Raises:
        MimirError: ``DETAILS_INVALID``, ``FUSED_INVALID``.
    """
    description, affine = read_description(path)
    try:
        content = _read_measurements(path)
        result = StudyResult.from_json(content)
        projection, hashes = content["projection"], content["image_sha256"]
        made_with = from_json(content.get("made_with", {}), MadeWith)
        folder = StudyFolder(path, result, projection, hashes, description, affine, made_with)
        is_valid = type(projection) is str and hashes.keys() <= _IMAGES.keys()
        names = {result.name, description["name"], name or result.name}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _invalid(f"{MEASUREMENTS_FILE} in the study's folder cannot be read") from error
    if not is_valid:
        raise _invalid(f"{MEASUREMENTS_FILE} in the study's folder is damaged")
    if len(names) > 1:
        raise _invalid(f"the folder '{path.name}' holds another study")
    return folder


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

    @contextmanager
    def held_for(self, output: Path) -> Iterator[None]:
        """Keep other runs from the folders while a run works on them.

        Args:
            output: The run's output folder, which its ledger holds; it may be the same.

        Raises:
            MimirError: ``OUTPUT_IN_USE``, ``OUTPUT_UNWRITABLE``.
        """
        is_same = os.path.realpath(self._folder) == os.path.realpath(output)
        with nullcontext() if is_same else folder_lock(self._folder):
            yield

    def path(self, name: str) -> Path:
        """Return the folder of a study: no other study has the same, whatever it is called."""
        return (self._folder / distinct_file_name(name)).absolute()

    def has(self, entry: Mapping[str, Any]) -> bool:
        """Return whether a study's folder holds this result, and the images that are asked for.

        Args:
            entry: The study's entry in the ledger.
        """
        try:
            folder = read_study_folder(self.path(entry["name"]), entry["name"])
            for image in folder.image_sha256:
                folder.array(image)
        except MimirError:
            return False
        kept = folder.image_sha256.keys()
        is_complete = PROJECTION_FILE in kept and (folder.has_volumes or not self._volumes)
        return is_complete and folder.result == StudyResult.from_json(entry)

    def write_images(
        self,
        study: DixonStudy,
        fused: FusedVolumes,
        projection: Projection,
        direct: DirectMeasurements,
    ) -> None:
        """Write a study's images; several threads or processes may do so for different studies.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        folder = self.path(study.name)
        with output_errors(folder):
            for name in (MEASUREMENTS_FILE, PROFILE_FILE, *_IMAGES):  # an earlier result's
                (folder / name).unlink(missing_ok=True)
            sweep_leftovers(folder)
        if self._volumes:
            write_fused(folder, describe_study(study), fused.water, fused.fat)
            write_array(folder / FRACTION_FILE, fat_fraction_map(fused).array, sync=False)
            write_array(folder / REGIONS_FILE, direct.regions(), sync=False)
        else:
            write_description(folder, describe_study(study), fused.water.affine)
        profile = direct.profile()
        write_csv(folder / PROFILE_FILE, [*profile], np.stack([*profile.values()], 1).tolist())
        write_array(folder / PROJECTION_FILE, projection.image)

    def write_result(self, result: StudyResult, projection_name: str, made_with: MadeWith) -> Path:
        """Write a study's result, and return its folder, which is then complete.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        folder = self.path(result.name)
        write_measurements(folder, result, projection_name, made_with)
        return folder


def write_measurements(
    folder: Path, result: StudyResult, projection_name: str, made_with: MadeWith = NOT_NOTED
) -> None:
    """Write ``measurements.json`` beside a study's images.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(folder):
        present = [name for name in _IMAGES if (folder / name).is_file()]
        hashes = {name: _hash(_mapped(folder / name)) for name in present}
    head = {"schema_version": SCHEMA_VERSION, "projection": projection_name}
    head["made_with"] = to_json(made_with)
    content = {**head, "image_sha256": hashes, **asdict(result)}
    write_json(folder / MEASUREMENTS_FILE, {**content, "content_sha256": _json_hash(content)})


def _read_measurements(folder: Path) -> dict[str, Any]:
    with open_regular(folder / MEASUREMENTS_FILE) as file:
        text = file.read(MAX_JSON_BYTES)
    content = json.loads(text, parse_float=_finite, parse_int=_integer, parse_constant=_finite)
    if content.pop("content_sha256") != _json_hash(content):
        raise ValueError("damaged")
    if content["schema_version"] != SCHEMA_VERSION:
        raise ValueError("of another version")
    return dict(content)


def _json_hash(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content).encode("ascii")).hexdigest()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _integer(text: str) -> int:
    _finite(text)
    return int(text)


def _mapped(path: Path) -> np.ndarray:
    array = open_array(path)
    if (array.dtype, array.ndim) != _IMAGES[path.name]:
        raise ValueError("not the kind of image that the file holds")
    return array


def _hash(image: np.ndarray) -> str:
    """Return a hash of an image's size and of some of its slices."""
    step = max(1, -(-image.nbytes // HASHED_BYTES))
    digest = sha256(repr(image.shape).encode("ascii"))
    digest.update(image[::step].tobytes())
    return digest.hexdigest()


def _invalid(what: str) -> MimirError:
    return MimirError("DETAILS_INVALID", what, "Measure the study again.")
