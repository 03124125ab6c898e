"""Fused volumes kept in a folder: what one run leaves can be the next one's source.

``origin.json`` says what the volumes were fused from, ``water.npy`` and ``fat.npy`` hold them:
float32 ``[slice, row, column]``, as in :mod:`mimir_engine.study.volume`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.fusion import OUTPUT_SPACING_MM, FusedVolumes
from mimir_engine.study.contrast import Contrast
from mimir_engine.study.finding import Finding
from mimir_engine.study.slices import FARTHEST_MM
from mimir_engine.study.source import StudySource
from mimir_engine.study.station import DixonStudy, Scanner, Station
from mimir_engine.study.volume import Volume, axial_affine, spacing_of

ORIGIN_FILE, WATER_FILE, FAT_FILE = "origin.json", "water.npy", "fat.npy"
#: Longest ``origin.json`` (bytes): a hundred findings have some 20,000.
MOST_ORIGIN_BYTES = 1 << 20
#: Spacings this close (mm) are the same: headers round.
SPACING_TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class FusedFolder:
    """A source whose stations are fused already.

    Attributes:
        path: The folder.
    """

    path: Path


#: A study to be read, or one whose stations are fused already.
Source = Union[StudySource, FusedFolder]


def origin_of(study: DixonStudy) -> dict[str, Any]:
    """What volumes were fused from, as plain JSON: all that measuring them again needs."""
    return {
        "name": study.name,
        "eid": study.eid,
        "instance": study.instance,
        "scanner": asdict(study.scanner),
        "stations": len(study.stations),
        "findings": [asdict(finding) for finding in study.findings],
    }


def write_origin(folder: Path, origin: Mapping[str, Any], affine: np.ndarray) -> None:
    """Write ``origin.json``.

    Args:
        folder: Made if it is not there.
        origin: As ``origin_of`` gives it.
        affine: ``(4, 4)``, of water and fat: ``(column, row, slice, 1)`` to LPS millimetres.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    record = {**origin, "affine_lps_mm": affine.tolist()}
    with atomic_file(folder / ORIGIN_FILE) as file:
        file.write(json.dumps(record, indent=1, allow_nan=False).encode("ascii"))


def write_fused(folder: Path, origin: Mapping[str, Any], water: Volume, fat: Volume) -> None:
    """Keep fused volumes, so that ``read_fused`` gives them again to the last bit.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_origin(folder, origin, water.affine)
    for name, volume in ((WATER_FILE, water), (FAT_FILE, fat)):
        write_array(folder / name, volume.array)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one array, whole or not at all.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with atomic_file(path) as file:
        np.save(file, array, allow_pickle=False)


def read_origin(folder: Path) -> tuple[dict[str, Any], np.ndarray]:
    """The record of ``origin.json`` and the volumes' affine.

    Raises:
        MimirError: ``FUSED_INVALID``.
    """
    try:
        with open(folder / ORIGIN_FILE, "rb") as file:
            record = json.loads(file.read(MOST_ORIGIN_BYTES))
        affine = np.asarray(record.pop("affine_lps_mm"), np.float64)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _invalid(f"its {ORIGIN_FILE} cannot be read") from error
    if affine.shape != (4, 4) or not np.abs(affine).max() <= FARTHEST_MM:
        raise _invalid("its affine is none")
    return record, affine


def read_fused(folder: Path, name: Optional[str] = None) -> tuple[DixonStudy, FusedVolumes]:
    """The study, without its stations' pixels, and its fused volumes.

    Args:
        folder: As ``write_fused`` made it.
        name: What to call the study; by default what it was called.

    Raises:
        MimirError: ``FUSED_INVALID``.
    """
    record, affine = read_origin(folder)
    spacing, origin = spacing_of(affine), affine[:3, 3].tolist()
    if not np.allclose(affine, axial_affine(origin, OUTPUT_SPACING_MM), atol=SPACING_TOLERANCE_MM):
        shown = " x ".join(f"{mm:.3f}" for mm in spacing)
        raise _invalid(f"its volumes are not axial or their voxels are {shown} mm, not MIMIR's")
    water, fat = (_read_volume(folder / file, affine) for file in (WATER_FILE, FAT_FILE))
    if water.array.shape != fat.array.shape:
        raise _invalid("water and fat differ in size")
    return _study(record, name), FusedVolumes(water, fat)


def _read_volume(path: Path, affine: np.ndarray) -> Volume:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _invalid(f"its {path.name} cannot be read") from error
    if array.dtype != np.float32 or array.ndim != 3 or not np.isfinite(array).all():
        raise _invalid(f"its {path.name} is no volume of finite float32 numbers")
    return Volume(array, affine)


def _study(record: Mapping[str, Any], name: Optional[str]) -> DixonStudy:
    empty = np.empty((0, 0, 0), np.float32)
    station = Station({Contrast.WATER: empty, Contrast.FAT: empty}, np.eye(4))
    try:
        return DixonStudy(
            name or str(record["name"]),
            (station,) * min(int(record["stations"]), 100),
            Scanner(**record["scanner"]),
            str(record["eid"]),
            str(record["instance"]),
            tuple(Finding(**finding) for finding in record["findings"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(f"its {ORIGIN_FILE} is incomplete") from error


def _invalid(what: str) -> MimirError:
    return MimirError(
        "FUSED_INVALID",
        f"the folder holds no volumes that MIMIR fused: {what}",
        "Give the study itself.",
    )
