"""Store fused volumes in a folder, to measure them again without their scan.

``origin.json`` describes the study, ``water.npy`` and ``fat.npy`` hold the volumes: float32
``[slice, row, column]``, as in ``study.volume``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.json_file import from_json
from mimir_engine.files.leftovers import sweep_leftovers
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.grid import MAX_VOXELS, OUTPUT_SPACING_MM
from mimir_engine.headers.scanner import Scanner
from mimir_engine.headers.series import MAX_TESLA
from mimir_engine.headers.slices import MAX_POSITION_MM
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import unread_stations
from mimir_engine.study.volume import Volume, axial_affine, spacing_of

DESCRIPTION_FILE, WATER_FILE, FAT_FILE = "origin.json", "water.npy", "fat.npy"
#: Size of ``origin.json`` in bytes; with a hundred findings it has some 20,000.
MAX_DESCRIPTION_BYTES = 1 << 20
#: Number of stations of a study.
MAX_STATIONS = 100
#: Difference of voxel spacings that rounding explains, in mm.
SPACING_TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class FusedFolder:
    """A source whose stations are fused already: a folder that ``write_fused`` wrote."""

    path: Path


def describe_study(study: DixonStudy) -> dict[str, Any]:
    """Return all that is known about a study, except its images, as JSON values."""
    return {
        "name": study.name,
        "eid": study.eid,
        "instance": study.instance,
        "scanner": asdict(study.scanner),
        "month": study.month,
        "stations": len(study.stations),
        "findings": [asdict(finding) for finding in study.findings],
    }


def write_description(folder: Path, description: Mapping[str, Any], affine: np.ndarray) -> None:
    """Write ``origin.json``, and remove what a killed run left in the folder.

    Args:
        folder: Created if it does not exist.
        description: As ``describe_study`` returns it.
        affine: ``(4, 4)``, of water and fat: ``(column, row, slice, 1)`` to LPS millimetres.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    sweep_leftovers(folder)
    content = {**description, "affine_lps_mm": affine.tolist()}
    with atomic_file(folder / DESCRIPTION_FILE) as file:
        file.write(json.dumps(content, indent=1, allow_nan=False).encode("ascii"))


def write_fused(folder: Path, description: Mapping[str, Any], water: Volume, fat: Volume) -> None:
    """Write fused volumes of one shape and affine; ``read_fused`` returns them exactly.

    The other arguments and errors are those of ``write_description``.
    """
    write_description(folder, description, water.affine)
    for name, volume in ((WATER_FILE, water), (FAT_FILE, fat)):
        write_array(folder / name, volume.array, sync=False)


def write_array(path: Path, array: np.ndarray, sync: bool = True) -> None:
    """Write one array atomically as ``.npy``; raises ``OUTPUT_UNWRITABLE``.

    Args:
        path: The file.
        array: The array.
        sync: Write it to the disk before it counts. That takes long for volumes, which can be made
            again.
    """
    with atomic_file(path, sync) as file:
        np.save(file, array, allow_pickle=False)


def read_description(folder: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Read the description of a study and the ``(4, 4)`` affine of its volumes, LPS millimetres.

    Raises:
        MimirError: ``FUSED_INVALID``.
    """
    with _reading(DESCRIPTION_FILE), _opened(folder / DESCRIPTION_FILE) as file:
        description = json.loads(file.read(MAX_DESCRIPTION_BYTES))
        affine = np.array([[float(v) for v in row] for row in description.pop("affine_lps_mm")])
    if affine.shape != (4, 4) or not np.abs(affine).max() <= MAX_POSITION_MM:
        raise _invalid(f"the affine in {DESCRIPTION_FILE} is not valid")
    return description, affine


def read_fused(folder: Path, name: Optional[str] = None) -> tuple[DixonStudy, FusedVolumes]:
    """Read a study, without the pixels of its stations, and its fused volumes.

    Args:
        folder: As ``write_fused`` writes it.
        name: Name of the study; by default the one in the folder.

    Raises:
        MimirError: ``FUSED_INVALID``.
    """
    description, affine = read_description(folder)
    expected = axial_affine(affine[:3, 3].tolist(), OUTPUT_SPACING_MM)
    if not np.allclose(affine, expected, atol=SPACING_TOLERANCE_MM):
        shown = " x ".join(f"{mm:.3f}" for mm in spacing_of(affine))
        raise _invalid(f"its volumes are not axial or have another voxel size ({shown} mm)")
    water, fat = (_read_volume(folder / file, affine) for file in (WATER_FILE, FAT_FILE))
    if water.array.shape != fat.array.shape:
        raise _invalid("water and fat differ in size")
    return _study(description, name), FusedVolumes(water, fat)


def _read_volume(path: Path, affine: np.ndarray) -> Volume:
    with _reading(path.name), _opened(path) as file:
        array = _volume_array(file, path.stat().st_size)
    if array is None or not all(np.isfinite(plane).all() for plane in array):
        raise _invalid(f"{path.name} is not a volume of finite float32 numbers")
    return Volume(array, affine)


def _volume_array(file: IO[bytes], size: int) -> Optional[np.ndarray]:
    """Read an array as ``write_array`` wrote it; None if its header says that it is another."""
    if np.lib.format.read_magic(file) != (1, 0):
        return None
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    voxels = math.prod(shape)
    is_volume = len(shape) == 3 and 0 < voxels <= MAX_VOXELS and min(shape) > 0
    if not is_volume or is_fortran or dtype != np.float32 or size - file.tell() != 4 * voxels:
        return None
    return np.fromfile(file, np.float32, voxels).reshape(shape)


def _study(description: Mapping[str, Any], name: Optional[str]) -> DixonStudy:
    with _reading(DESCRIPTION_FILE):
        scanner = Scanner(**description["scanner"])
        findings = tuple(from_json(finding, Finding) for finding in description["findings"])
        texts = [scanner.vendor, scanner.model, scanner.device]
        strength = scanner.field_strength_t
        if not all(isinstance(text, str) for text in texts) or not (
            strength is None or 0 <= float(strength) <= MAX_TESLA
        ):
            raise ValueError
        return DixonStudy(
            name or str(description["name"]),
            unread_stations(min(int(description["stations"]), MAX_STATIONS)),
            scanner,
            str(description["eid"]),
            str(description["instance"]),
            findings,
            month=str(description.get("month", "")),
        )


def _opened(path: Path) -> IO[bytes]:
    """Open a regular file: a pipe could block for ever."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return open(path, "rb")


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn any error of reading a file into ``FUSED_INVALID``."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # JSON and NumPy raise many kinds on damaged files
        raise _invalid(f"{name} cannot be read") from error


def _invalid(what: str) -> MimirError:
    return MimirError(
        "FUSED_INVALID",
        f"the folder does not contain volumes that MIMIR fused: {what}",
        "Use the original study instead.",
    )
