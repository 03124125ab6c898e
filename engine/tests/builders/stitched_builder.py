"""Small archives with all four contrasts for tests of stitched volumes, and what was written."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dicom_builder import Change, complete_study, write_zip

#: Suffixes of the four contrasts in ``dicom_builder``.
ALL = ("F", "W", "in", "opp")


def write_scan(path: Path, contrasts: Sequence[str] = ALL, change: Change | None = None) -> Path:
    """Write an archive of three small stations."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [file for scan in complete_study() for file in scan.files(contrasts, change)]
    return write_zip(path, files)


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def files_in(folder: Path) -> list[str]:
    """Return the paths of all volumes and their descriptions in an output folder."""
    places = ("volumes", "stations", "imagesTs", "imagesTr", "labelsTr")
    found = (path for place in places for path in (folder / place).rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def lps_array(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a NIfTI file with nibabel: ``[slice, row, column]`` and the affine to LPS."""
    import nibabel

    image = nibabel.as_closest_canonical(nibabel.load(path))
    flips = np.diag([-1.0, -1.0, 1.0, 1.0])
    array = np.asanyarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0)
    columns, rows, _ = image.shape
    shift = np.eye(4)
    shift[:2, :2] = -np.eye(2)
    shift[:2, 3] = columns - 1, rows - 1
    return array, flips @ image.affine @ shift
